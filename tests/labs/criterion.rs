//! What `cargo bench` leaves behind, read by the library and by the commands.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use jwt_vs_session::labs::criterion::{BenchFigures, BenchRun, PairedRatio};
use jwt_vs_session::labs::document::Document;
use jwt_vs_session::labs::figures::{Figures, Spread};
use jwt_vs_session::labs::targets::{TargetVerdict, reached};
use serde_json::json;
use tempfile::TempDir;

/// As criterion writes it: samples of 10 iterations each.
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
    let facts = |slug: &&str| json!({ "strategy": slug, "store_calls": 1.0, "request_bytes": 22, "stored_bytes": 345 });
    let run = json!({
        "source": {
            "method": "criterion", "machine": "A processor, 2 cores, linux 6.1", "date": "2026-11-22",
            "versions": "rustc 1.95.0, Redis 7.0.15", "load": 0.1,
        },
        "strategies": strategies.iter().map(facts).collect::<Vec<_>>(),
    });
    fs::write(folder.join(BenchRun::FILE), run.to_string()).expect("a file");
}

/// `jwt` within its target, `session` not, everything else left out.
fn stage() -> TempDir {
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
    let folder = stage();
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
fn a_target_is_met_open_or_not_measured() {
    let rows = reached(&BenchFigures::read(stage().path()).expect("figures"));
    let verdict = |id: &str, floor: Option<&str>| {
        let row = rows.iter().find(|row| row.target.id == id && row.target.limit.floor() == floor).expect(id);
        (row.words(), row.verdict)
    };
    let words = |is: &str, should: &str| (is.to_owned(), should.to_owned());
    assert_eq!(verdict("lookup/jwt", Some("floor/jwt")), (words("1.20 ×", "≤ 1.3 ×"), TargetVerdict::Meets));
    assert_eq!(verdict("lookup/session", Some("floor/redis-get")), (words("1.25 ×", "≤ 1.1 ×"), TargetVerdict::Open));
    assert_eq!(
        verdict("lookup/session-sql", Some("floor/sql-select")),
        (words("?", "≤ 1.5 ×"), TargetVerdict::Unknown)
    );
    assert_eq!(verdict("lookup/session-tracked", None), (words("?", "≤ 500 ns"), TargetVerdict::Unknown));
    let counted: Vec<_> =
        rows.iter().filter(|row| row.target.id == "session").map(|row| (row.words(), row.verdict)).collect();
    assert_eq!(counted, [(words("1", "1"), TargetVerdict::Meets), (words("345 B", "≤ 350 B"), TargetVerdict::Meets)]);
}

/// A run of one bench, of this build, beside what another build left.
#[test]
fn what_was_measured_before_the_run_is_not_of_it() {
    let folder = stage();
    let file = folder.path().join(BenchRun::FILE);
    let mut run: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).expect("a file")).expect("JSON");
    run["begun"] = json!(2_000_000);
    fs::write(&file, run.to_string()).expect("a file");
    let earlier = folder.path().join("floor/jwt/new/estimates.json");
    let earlier = fs::File::options().write(true).open(earlier).expect("a file");
    earlier.set_modified(UNIX_EPOCH + Duration::from_millis(1_999_999)).expect("a time");
    let measured = BenchFigures::read(folder.path()).expect("figures");
    assert_eq!((measured.median("lookup/jwt"), measured.median("floor/jwt")), (Some(1200.0), None));
    let rows = reached(&measured);
    let row = rows.iter().find(|row| row.target.id == "lookup/jwt").expect("a target");
    assert_eq!(row.verdict, TargetVerdict::Unknown, "its floor is of another run");
    run["begun"] = json!(u64::from(u32::MAX) * 1000);
    fs::write(&file, run.to_string()).expect("a file");
    assert!(BenchFigures::read(folder.path()).is_err(), "nothing is of this run");
}

/// The machine got slower between the floor and the bench; the turns did not see that.
#[test]
fn what_took_turns_is_held_against_its_neighbour() {
    let folder = stage();
    let mut run: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join(BenchRun::FILE)).expect("a file")).expect("JSON");
    let turns = [(880.0, 800.0), (2_200.0, 2_000.0), (1_320.0, 1_200.0), (1_500.0, 1_000.0), (1_000.0, 1_000.0)];
    let pair = PairedRatio::of("lookup/session", "floor/redis-get", &turns).expect("turns");
    assert_eq!(PairedRatio::of("lookup/session", "floor/redis-get", &[]), None);
    run["pairs"] = json!([pair]);
    fs::write(folder.path().join(BenchRun::FILE), run.to_string()).expect("a file");
    let rows = reached(&BenchFigures::read(folder.path()).expect("figures"));
    let row = rows.iter().find(|row| row.target.id == "lookup/session").expect("a row");
    assert_eq!((row.words().0.as_str(), row.verdict), ("1.10 ×", TargetVerdict::Meets), "the medians alone say 1.25");
    assert_eq!(row.around().as_deref(), Some("1.00 × to 1.50 ×"));
    assert_eq!((row.median_ns, row.floor_ns), (Some(1_320.0), Some(1_000.0)));
    assert_eq!(row.in_the_way, None, "it is met");
}

#[test]
fn what_is_missing_or_broken_is_told_with_its_path() {
    let refusal = |folder: &Path| BenchFigures::read(folder).expect_err("no figures").to_string();
    let empty = tempfile::tempdir().expect("a folder");
    assert!(refusal(empty.path()).starts_with("there are no figures in /"), "{}", refusal(empty.path()));
    let nowhere = empty.path().join("nowhere");
    assert!(refusal(&nowhere).contains("nowhere cannot be read (No such file"), "{}", refusal(&nowhere));

    let folder = stage();
    fs::remove_file(folder.path().join(BenchRun::FILE)).expect("it was there");
    assert!(refusal(folder.path()).contains("run.json cannot be read"), "{}", refusal(folder.path()));

    for (file, text) in
        [("estimates.json", "{"), ("estimates.json", "{}"), ("sample.json", r#"{"iters":[],"times":[]}"#)]
    {
        let folder = stage();
        fs::write(folder.path().join("lookup/jwt/new").join(file), text).expect("a file");
        let said = refusal(folder.path());
        assert!(said.contains(file) && said.contains(" is not what criterion writes: "), "{said}");
    }
}

#[test]
fn the_document_says_where_and_how_far() {
    let revocations = serde_json::from_str(REVOCATION).expect("a report");
    let document = Document::new(BenchFigures::read(stage().path()).expect("figures"), Some(revocations));
    let text = document.to_string();
    for line in [
        "| machine | A processor, 2 cores, linux 6.1 |",
        "| load before the run | 0.10 processes, the mean of a minute |",
        "| `session` | 50.0 µs (50.0 µs to 50.0 µs) | 60.0 µs (60.0 µs to 60.0 µs) |  | 1 | 22 B | 345 B |",
        "| `jwt` | expiry | 1000 | 5 | 998.000 | 991.000 | 999.000 | 999.000 |",
        "| jwt against its floor | 1.20 µs | 1.00 µs | 1.20 × |  | ≤ 1.3 × | meets |",
        "| session against a bare GET | 50.0 µs | 40.0 µs | 1.25 × |  | ≤ 1.1 × | misses |",
        "| `lookup/session/64` | 9.00 µs | 8.99 µs | 9.01 µs |",
        "## How to repeat it",
        "## What they do not say",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\nis not in\n{text}");
    }
    assert!(text.contains("\n- *session against a bare GET*: Beside the GET"), "a miss says what stands in the way");
    assert!(!text.contains("- *jwt against its floor*"), "and nothing else does");
    let json = serde_json::to_string(&document.figures()).expect("JSON");
    let figures: Figures = serde_json::from_str(&json).expect("the same figures");
    let staleness = figures.rows.iter().find(|row| row.strategy == "jwt").and_then(|row| row.staleness_ms);
    let staleness = staleness.expect("the lab was run");
    assert_eq!((staleness.p50, staleness.worst, staleness.shortened_life), (991.0, 999.0, Some(1000.0)));
}

#[test]
fn the_document_shows_from_when_on_a_login_was_refused() {
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
    let text = Document::new(BenchFigures::read(stage().path()).expect("figures"), Some(revocations)).to_string();
    for line in [
        "| strategy | promise | bound | trials | same node, worst | other node, p50 | p99 | worst | refused from, same node | other node |",
        "| `jwt` | expiry | 1000 | 5 | 998.000 | 991.000 | 999.000 | 999.000 |  |  |",
        "| `jwt-pushed` | push | 500 | 2 | 0.000 | ≥ 600.000 | ≥ 600.000 | ≥ 600.000 | 8.250 | never |",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}\nis not in\n{text}");
    }
}
