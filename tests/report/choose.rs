//! The figures of docs/choose.md are those of docs/figures.json.

use jwt_vs_session::labs::figures::{Figures, StrategyFigures};
use jwt_vs_session::units::{span, time};
use regex::Regex;

const PAGE: &str = include_str!("../../docs/choose.md");
const FIGURES: &str = include_str!("../../docs/figures.json");

/// Settings of the server, not measured: the life of a token under `jwt` and under `jwt-refresh`.
const LIVES: [(&str, &str); 2] = [("jwt", "15 min"), ("jwt-refresh", "60 s")];

/// The figures of a strategy as the page may write them.
fn figures_of(row: &StrategyFigures) -> Vec<String> {
    let mut all = vec![time(row.identify_ns.median)];
    all.extend(row.revoke_ns.map(|revoke| time(revoke.median)));
    all.extend(row.miss_ns.map(time));
    all.extend([row.request_bytes, row.stored_bytes].map(|bytes| format!("{bytes} B")));
    if let Some(staleness) = row.staleness_ms.filter(|staleness| staleness.shortened_life.is_none()) {
        all.extend([staleness.worst, staleness.bound].map(|ms| span(ms * 1e6)));
    }
    all.extend(LIVES.into_iter().filter(|(slug, _)| *slug == row.strategy).map(|(_, life)| life.to_owned()));
    all
}

#[test]
fn every_figure_that_carries_a_choice_is_a_measured_one() {
    let figures = Figures::parse(FIGURES).expect("figures");
    let slug = Regex::new("`([a-z-]+)").expect("a pattern");
    let figure = Regex::new(r"[0-9][0-9.,]* (?:ns|µs|ms|s|min|B)\b").expect("a pattern");
    let lines: Vec<_> = PAGE.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert_eq!(lines.len(), 10, "lines of the table");
    for line in lines {
        let named = slug.captures_iter(line).filter_map(|found| figures.row(&found[1]));
        let known: Vec<_> = named.flat_map(figures_of).collect();
        let written: Vec<_> = figure.find_iter(line).map(|found| found.as_str()).collect();
        assert!(!written.is_empty(), "no figure carries this line: {line}");
        for one in written {
            assert!(known.iter().any(|figure| figure == one), "{one} is none of {known:?}: {line}");
        }
    }
    for row in &figures.rows {
        assert!(PAGE.contains(&format!("`{}`", row.strategy)), "no line for {}", row.strategy);
    }
}
