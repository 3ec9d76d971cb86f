//! Criterion's files become figures, a comparison with the targets, and the document.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use clap::Parser as _;
use jwt_vs_session::labs::figures::{Figures, Spread};
use serde_json::json;
use tempfile::TempDir;

use crate::report::command::Arguments;
use crate::report::criterion::BenchFigures;
use crate::report::document::Document;
use crate::report::run::{BenchRun, PairedRatio};
use crate::report::targets::{TargetVerdict, results};

/// Writes the files of a bench as criterion does, with samples of 10 iterations.
fn bench(folder: &Path, id: &str, median: f64) {
    let new = folder.join(id).join("new");
    fs::create_dir_all(&new).expect("a folder");
    let write = |name: &str, value: serde_json::Value| fs::write(new.join(name), value.to_string()).expect("a file");
    let (group, rest) = id.split_once('/').expect("a group");
    write("benchmark.json", json!({ "group_id": group, "value_str": rest, "full_id": id, "directory_name": id }));
    let estimate = |value: f64| {
        json!({
            "confidence_interval": { "confidence_level": 0.95, "lower_bound": value, "upper_bound": value },
            "point_estimate": value, "standard_error": 1.0,
        })
    };
    write("estimates.json", json!({ "mean": estimate(median * 2.0), "median": estimate(median), "slope": null }));
    let times: Vec<f64> = (1..=20).rev().map(|n| 10.0 * (median - 10.0 + f64::from(n))).collect();
    write("sample.json", json!({ "sampling_mode": "Flat", "iters": vec![10.0; 20], "times": times }));
}

fn run_of(folder: &Path, strategies: &[&str]) {
    let counts =
        |slug: &&str| json!({ "strategy": slug, "store_calls": 1.0, "request_bytes": 22, "stored_bytes": 345 });
    let run = json!({
        "source": {
            "method": "criterion", "machine": "A processor, 2 cores, linux 6.1", "date": "2026-11-22",
            "versions": "rustc 1.95.0, Redis 7.0.15", "load": 0.1,
        },
        "strategies": strategies.iter().map(counts).collect::<Vec<_>>(),
    });
    fs::write(folder.join(BenchRun::FILE), run.to_string()).expect("a file");
}

/// A run in which `jwt` meets its target and `session` misses it.
pub fn run() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (id, median) in [
        ("lookup/jwt", 1200.0),
        ("floor/jwt", 1000.0),
        ("lookup/session", 50_000.0),
        ("lookup/session/64", 9_000.0),
        ("floor/redis-get", 40_000.0),
        ("issue/session", 60_000.0),
    ] {
        bench(folder.path(), id, median);
    }
    run_of(folder.path(), &["jwt", "session"]);
    fs::create_dir_all(folder.path().join("lookup/jwt/base")).expect("a folder");
    folder
}

const REVOCATION: &str = r#"{ "results": [
    { "strategy": "jwt", "promise": "expiry", "bound_ms": 1000, "trials": 5, "shortened_life_ms": 1000,
      "last_accept_after_response_ms": {
        "same_node": { "p50": 990.0, "p99": 998.0, "max": 998.0 }, "other_node": { "p50": 991.0, "p99": 999.0, "max": 999.0 } } }
] }"#;

#[test]
fn medians_and_spreads_are_read_by_id() {
    let folder = run();
    let measured = BenchFigures::read(folder.path()).expect("figures");
    assert_eq!(measured.by_id.len(), 6);
    assert_eq!(measured.by_id["lookup/jwt"], Spread { low: 1191.0, median: 1200.0, high: 1209.0 });
    assert_eq!(measured.median("lookup/session/64"), Some(9_000.0), "a bench below another one");
    let figures = measured.figures();
    let row = |slug: &str| figures.rows.iter().find(|row| row.strategy == slug).expect(slug);
    let issue = row("session").issue_ns.expect("it was run").median;
    assert!((issue - 60_000.0).abs() < 0.5, "{issue}");
    assert!(row("session").revoke_ns.is_none(), "it was not run");
    assert_eq!((row("jwt").request_bytes, row("jwt").stored_bytes), (22, 345));
}

#[test]
fn a_run_meets_or_misses_a_target_or_did_not_measure_it() {
    let rows = results(&BenchFigures::read(run().path()).expect("figures"));
    let verdict = |id: &str, floor: Option<&str>| {
        let row = rows.iter().find(|row| row.target.id == id && row.target.limit.floor() == floor).expect(id);
        (row.words(), row.verdict)
    };
    let words = |value: &str, target: &str| (value.to_owned(), target.to_owned());
    assert_eq!(verdict("lookup/jwt", Some("floor/jwt")), (words("1.20 ×", "≤ 1.3 ×"), TargetVerdict::Meets));
    assert_eq!(verdict("lookup/session", Some("floor/redis-get")), (words("1.25 ×", "≤ 1.1 ×"), TargetVerdict::Misses));
    assert_eq!(
        verdict("lookup/session-sql", Some("floor/sql-select")),
        (words("?", "≤ 1.5 ×"), TargetVerdict::NotMeasured)
    );
    assert_eq!(verdict("lookup/session-tracked", None), (words("?", "≤ 500 ns"), TargetVerdict::NotMeasured));
    let counted: Vec<_> =
        rows.iter().filter(|row| row.target.id == "session").map(|row| (row.words(), row.verdict)).collect();
    assert_eq!(counted, [(words("1", "1"), TargetVerdict::Meets), (words("345 B", "≤ 350 B"), TargetVerdict::Meets)]);
}

#[test]
fn older_files_of_criterion_belong_to_another_run() {
    let folder = run();
    let file = folder.path().join(BenchRun::FILE);
    let mut run: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).expect("a file")).expect("JSON");
    run["begun"] = json!(2_000_000);
    fs::write(&file, run.to_string()).expect("a file");
    let earlier = folder.path().join("floor/jwt/new/estimates.json");
    let earlier = fs::File::options().write(true).open(earlier).expect("a file");
    earlier.set_modified(UNIX_EPOCH + Duration::from_millis(1_999_999)).expect("a time");
    let measured = BenchFigures::read(folder.path()).expect("figures");
    assert_eq!((measured.median("lookup/jwt"), measured.median("floor/jwt")), (Some(1200.0), None));
    let rows = results(&measured);
    let row = rows.iter().find(|row| row.target.id == "lookup/jwt").expect("a target");
    assert_eq!(row.verdict, TargetVerdict::NotMeasured, "its floor is of another run");
    run["begun"] = json!(u64::from(u32::MAX) * 1000);
    fs::write(&file, run.to_string()).expect("a file");
    assert!(BenchFigures::read(folder.path()).is_err(), "nothing is of this run");
}

/// The machine got slower between the floor and the bench, which the ratios of neighbours do not show.
#[test]
fn a_bench_is_compared_with_the_floor_that_ran_beside_it() {
    let folder = run();
    let mut run: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join(BenchRun::FILE)).expect("a file")).expect("JSON");
    let rounds = [(880.0, 800.0), (2_200.0, 2_000.0), (1_320.0, 1_200.0), (1_500.0, 1_000.0), (1_000.0, 1_000.0)];
    let pair = PairedRatio::of("lookup/session", "floor/redis-get", &rounds).expect("rounds");
    assert_eq!(PairedRatio::of("lookup/session", "floor/redis-get", &[]), None);
    run["pairs"] = json!([pair]);
    fs::write(folder.path().join(BenchRun::FILE), run.to_string()).expect("a file");
    let rows = results(&BenchFigures::read(folder.path()).expect("figures"));
    let row = rows.iter().find(|row| row.target.id == "lookup/session").expect("a row");
    assert_eq!((row.words().0.as_str(), row.verdict), ("1.10 ×", TargetVerdict::Meets), "the medians alone say 1.25");
    assert_eq!(row.spread_words().as_deref(), Some("1.00 × to 1.50 ×"));
    assert_eq!((row.median_ns, row.floor_ns), (Some(1_320.0), Some(1_000.0)));
    assert_eq!(row.in_the_way, None, "the run meets the target");
}

#[test]
fn an_error_names_the_missing_or_broken_file() {
    let refusal = |folder: &Path| BenchFigures::read(folder).expect_err("no figures").to_string();
    let empty = tempfile::tempdir().expect("a folder");
    assert!(refusal(empty.path()).starts_with("there are no figures in /"), "{}", refusal(empty.path()));
    let nowhere = empty.path().join("nowhere");
    assert!(refusal(&nowhere).contains("nowhere cannot be read (No such file"), "{}", refusal(&nowhere));

    let folder = run();
    fs::remove_file(folder.path().join(BenchRun::FILE)).expect("it was there");
    assert!(refusal(folder.path()).contains("run.json cannot be read"), "{}", refusal(folder.path()));

    for (file, text) in
        [("estimates.json", "{"), ("estimates.json", "{}"), ("sample.json", r#"{"iters":[],"times":[]}"#)]
    {
        let folder = run();
        fs::write(folder.path().join("lookup/jwt/new").join(file), text).expect("a file");
        let said = refusal(folder.path());
        assert!(said.contains(file) && said.contains(" is not what criterion writes: "), "{said}");
    }
}

#[test]
fn the_document_names_machine_figures_and_targets() {
    let revocations = serde_json::from_str(REVOCATION).expect("a report");
    let document = Document::new(BenchFigures::read(run().path()).expect("figures"), Some(revocations));
    let text = document.to_string();
    for line in [
        "| machine | A processor, 2 cores, linux 6.1 |",
        "| load before the run | 0.10 processes, mean of a minute |",
        "| `session` | 50.0 µs (50.0 µs to 50.0 µs) | 60.0 µs (60.0 µs to 60.0 µs) |  | 1 | 22 B | 345 B |",
        "| `jwt` | expiry | 1000 | 5 | 998.000 | 991.000 | 999.000 | 999.000 |",
        "| jwt / its floor | 1.20 µs | 1.00 µs | 1.20 × |  | ≤ 1.3 × | meets |",
        "| session / a bare GET | 50.0 µs | 40.0 µs | 1.25 × |  | ≤ 1.1 × | misses |",
        "| `lookup/session/64` | 9.00 µs | 8.99 µs | 9.01 µs |",
        "## How to repeat it",
        "## What they do not say",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\nis not in\n{text}");
    }
    assert!(text.contains("\n- *session / a bare GET*: Beside the GET"), "a missed target has its reason");
    assert!(!text.contains("- *jwt / its floor*"), "and only a missed one");
    let json = serde_json::to_string(document.figures()).expect("JSON");
    let figures: Figures = serde_json::from_str(&json).expect("the same figures");
    let staleness = figures.rows.iter().find(|row| row.strategy == "jwt").and_then(|row| row.staleness_ms);
    let staleness = staleness.expect("the lab was run");
    assert_eq!((staleness.p50, staleness.worst, staleness.shortened_life), (991.0, 999.0, Some(1000.0)));
}

#[test]
fn the_document_shows_when_each_login_was_refused() {
    let spread = |ms: f64| json!({ "p50": ms, "p99": ms, "max": ms });
    let never = json!({ "p50": null, "p99": null, "max": null });
    let lost = json!({
        "strategy": "jwt-pushed", "promise": "push", "bound_ms": 500, "trials": 2, "shortened_life_ms": null,
        "last_accept_after_response_ms": { "same_node": spread(0.0), "other_node": spread(600.0) },
        "refused_from_ms": { "same_node": spread(8.25), "other_node": never },
        "still_accepted": { "same_node": 0, "other_node": 2 },
    });
    let mut report: serde_json::Value = serde_json::from_str(REVOCATION).expect("a report");
    report["results"].as_array_mut().expect("rows").push(lost);
    let revocations = serde_json::from_value(report).expect("a report");
    let text = Document::new(BenchFigures::read(run().path()).expect("figures"), Some(revocations)).to_string();
    for line in [
        "| strategy | promise | bound | trials | same node, worst | other node, p50 | p99 | worst | refused from, same node | other node |",
        "| `jwt` | expiry | 1000 | 5 | 998.000 | 991.000 | 999.000 | 999.000 |  |  |",
        "| `jwt-pushed` | push | 500 | 2 | 0.000 | ≥ 600.000 | ≥ 600.000 | ≥ 600.000 | 8.250 | never |",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\nis not in\n{text}");
    }
}

#[test]
fn the_plain_variants_stand_beside_ours_with_the_measured_difference() {
    let folder = run();
    assert_eq!(BenchFigures::read(folder.path()).expect("figures").figures().plain.len(), 0, "none was measured");
    bench(folder.path(), "plain/jsonwebtoken", 3_000.0);
    bench(folder.path(), "plain/redis-session", 45_000.0);
    bench(folder.path(), "plain/redis-session/revoke", 40_000.0);
    bench(folder.path(), "revoke/session", 240_000.0);
    let document = Document::new(BenchFigures::read(folder.path()).expect("figures"), None);
    let text = document.to_string();
    for line in [
        "| plain JWT | jsonwebtoken::decode, called as the library's README shows | 3.00 µs (2.99 µs to 3.01 µs) | none | `jwt` |",
        "| plain session | a record in Redis: one GET for a check, one DEL for a log out | 45.0 µs (45.0 µs to 45.0 µs) | 40.0 µs (40.0 µs to 40.0 µs) | `session` |",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\nis not in\n{text}");
    }
    let json = serde_json::to_string(document.figures()).expect("JSON");
    let plain = Figures::parse(&json).expect("figures").plain;
    let [jwt, session] = &plain[..] else { panic!("{plain:?}") };
    assert!(jwt.comparison.contains("A check takes 1.20 µs instead of 3.00 µs (−1.80 µs)."), "{}", jwt.comparison);
    assert!(
        session.comparison.contains("A revoke takes 240 µs instead of 40.0 µs (+200 µs). The SQL insert"),
        "{}",
        session.comparison
    );
    assert_eq!((jwt.beside.as_str(), jwt.revoke_ns), ("jwt", None));
}

/// What `cargo bench --bench report -- …` prints: cargo adds `--bench` at the end.
fn printed(arguments: &[&str]) -> Result<String, String> {
    let arguments = [&["report"], arguments, &["--bench"]].concat();
    let mut out = Vec::new();
    let outcome = Arguments::try_parse_from(arguments).map_err(|error| error.to_string())?.run(&mut out);
    outcome.map(|()| String::from_utf8(out).expect("text")).map_err(|error| error.to_string())
}

#[test]
fn the_command_prints_the_targets_and_the_document() {
    let folder = run();
    let criterion = folder.path().to_str().expect("a path");
    let table = printed(&["--criterion", criterion]).expect("a table");
    let row = table.lines().find(|line| line.trim_start().starts_with("jwt / its floor")).expect("a row");
    let cells: Vec<_> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(cells, ["jwt / its floor", "1.20 µs", "1.00 µs", "1.20 ×", "≤ 1.3 ×", "meets"], "{table}");
    assert!(table.contains("\nsession / a bare GET: Beside the GET"), "a missed target has its reason: {table}");
    let json = printed(&["--format", "json", "--criterion", criterion]).expect("JSON");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["targets"][0]["id"], "lookup/jwt");
    assert_eq!((&json["targets"][0]["verdict"], &json["targets"][1]["verdict"]), (&json!("meets"), &json!("open")));
    let document = printed(&["figures", "--criterion", criterion]).expect("a document");
    assert!(document.starts_with("# Figures\n"), "{document}");
    let json = printed(&["figures", "--criterion", criterion, "--format", "json"]).expect("JSON");
    assert_eq!(Figures::parse(&json).expect("figures").rows.len(), 2);
}

#[test]
fn the_command_names_a_file_that_is_missing_or_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let wrong = folder.path().join("report.json");
    fs::write(&wrong, "{}").expect("a file");
    for (arguments, sentence) in [
        (&["--criterion", "nowhere"][..], "nowhere cannot be read (No such file"),
        (&["--criterion", "nowhere", "--format", "json"], "nowhere cannot be read"),
        (&["figures", "--criterion", folder.path().to_str().expect("a path")], "there are no figures in "),
        (&["figures", "--revocation", "none.json"], "none.json cannot be read"),
        (&["figures", "--revocation", wrong.to_str().expect("a path")], "is not a report of lab revocation"),
    ] {
        let error = printed(arguments).expect_err("no figures");
        assert!(error.contains(sentence), "{arguments:?}: {error}");
    }
}
