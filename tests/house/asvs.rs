//! `docs/asvs.md` names files and tests that exist, and counts its own rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::source::{exists, files, report, text};

const PAGE: &str = "docs/asvs.md";

/// The requirements of ASVS 5.0.0 that each level adds.
const REQUIREMENTS: [(&str, usize); 2] = [("1", 70), ("2", 183)];

const STATES: [&str; 3] = ["met", "exhibit", "not met"];

/// The cells of every row of a table whose first cell `begins` so.
fn table(begins: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    let page = text(PAGE);
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.map(|row| row.split(" | ").map(ToOwned::to_owned).collect::<Vec<_>>());
    cells.filter(|cells| begins(&cells[0])).collect()
}

fn requirements() -> Vec<Vec<String>> {
    let is_id = |cell: &str| cell.split('.').count() == 3 && cell.split('.').all(|part| part.parse::<u8>().is_ok());
    let rows: Vec<_> = table(is_id).into_iter().filter(|cells| cells.len() > 2).collect();
    assert!(rows.len() > 100, "the rows can be read");
    rows
}

#[test]
fn every_file_and_test_of_the_asvs_page_exists() {
    let mut findings = Vec::new();
    for row in requirements() {
        let [id, _, _, state, shown] = row.as_slice() else { panic!("five cells: {row:?}") };
        let names: Vec<_> = shown.split('`').skip(1).step_by(2).collect();
        if names.is_empty() && state != "not met" {
            findings.push(format!("{id}: nothing shows it"));
        }
        for name in names {
            let (path, test) = name.split_once("::").unwrap_or((name, ""));
            if !exists(path) || !(test.is_empty() || text(path).contains(&format!("fn {test}("))) {
                findings.push(format!("{id}: {name} does not exist"));
            }
        }
    }
    report("docs/asvs.md names what is not there.", &findings);
}

#[test]
fn the_counts_of_the_asvs_page_are_those_of_its_rows() {
    let rows = requirements();
    let ids: BTreeSet<_> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(ids.len(), rows.len(), "an id stands twice");
    let mut counts = BTreeMap::<(&str, &str), usize>::new();
    for row in &rows {
        assert!(STATES.contains(&row[3].as_str()), "{row:?}");
        *counts.entry((&row[1], &row[3])).or_default() += 1;
    }
    for (level, all) in REQUIREMENTS {
        let states = STATES.map(|state| counts.get(&(level, state)).copied().unwrap_or_default());
        let applying: usize = states.iter().sum();
        let expected = [applying, states[0], states[1], states[2], all - applying].map(|count| count.to_string());
        let stated = table(|cell| cell == level).into_iter().next().expect("a row of counts");
        assert_eq!(stated[1..], expected, "level {level}");
    }
}

#[test]
fn every_link_between_the_documents_leads_to_a_file() {
    let is_document = |path: &String| Path::new(path).extension().is_some_and(|extension| extension == "md");
    let documents = files("docs").into_iter().filter(is_document).chain(["README.md".to_owned()]);
    let mut findings = Vec::new();
    for path in documents {
        let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        for link in text(&path).split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let local = !link.is_empty() && !link.contains(':');
            if local && !exists(&format!("{folder}{link}")) {
                findings.push(format!("{path}: {link} does not exist"));
            }
        }
    }
    report("These links lead nowhere.", &findings);
}
