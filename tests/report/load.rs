//! The figures of the whole server under load: their chapter, their targets, and the JSON.

use std::fs;
use std::path::Path;

use jwt_vs_session::labs::figures::{Figures, LoadFigures, Spread};
use serde_json::json;

use super::figures::run;
use crate::report::criterion::BenchFigures;
use crate::report::document::Document;
use crate::report::run::{BenchRun, PairedRatio};
use crate::report::targets::{TargetVerdict, results};

fn load(id: &str, processor: f64, redis: f64) -> LoadFigures {
    let spread = |median: f64| Spread { low: median * 0.5, median, high: median * 2.0 };
    LoadFigures {
        id: id.to_owned(),
        processor_ns: spread(processor),
        redis_ns: spread(redis),
        requests_per_second: spread(31_234.4),
        p50_ns: spread(1_000_000.0),
        p99_ns: spread(2_000_000.0),
    }
}

/// Adds what the bench `load` writes to the run file.
fn with_load(folder: &Path) {
    let file = folder.join(BenchRun::FILE);
    let mut run: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).expect("a file")).expect("JSON");
    run["loads"] = json!([
        load("load/floor/json", 16_000.0, 0.0),
        load("load/floor/page", 20_000.0, 0.0),
        load("load/floor/session", 22_000.0, 1_500.0),
        load("load/jwt", 60_000.0, 0.0),
        load("load/jwt/json", 20_000.0, 0.0),
        load("load/session/json", 30_000.0, 1_400.0),
    ]);
    let pair = |id, against, round| PairedRatio::of(id, against, &[round]).expect("a round");
    run["pairs"] = json!([
        pair("load/jwt/json", "load/floor/json", (19_000.0, 16_000.0)),
        pair("load/session/json", "load/jwt/json", (23_400.0, 20_000.0)),
        pair("load/session-tracked/json", "load/jwt/json", (20_000.0, 20_000.0)),
    ]);
    fs::write(file, run.to_string()).expect("a file");
}

#[test]
fn the_targets_compare_processor_times_of_neighbours() {
    let folder = run();
    let verdicts = || {
        let rows = results(&BenchFigures::read(folder.path()).expect("figures"));
        let rows = rows.into_iter().filter(|row| row.target.id.starts_with("load/"));
        rows.map(|row| (row.target.id, row.words().0, row.words().1, row.verdict)).collect::<Vec<_>>()
    };
    assert!(verdicts().iter().all(|(.., verdict)| *verdict == TargetVerdict::NotMeasured), "{:?}", verdicts());
    with_load(folder.path());
    let row = |id, value: &str, target: &str, verdict| (id, value.to_owned(), target.to_owned(), verdict);
    assert_eq!(
        verdicts(),
        [
            row("load/jwt/json", "1.19 ×", "≤ 1.2 ×", TargetVerdict::Meets),
            // Not a pair in this run: the medians say it.
            row("load/jwt", "3.00 ×", "≤ 1.4 ×", TargetVerdict::Misses),
            row("load/session/json", "+3.40 µs", "≤ +3500 ns", TargetVerdict::Meets),
            row("load/session-tracked/json", "1.00 ×", "≤ 0.95 ×", TargetVerdict::Misses),
            row("load/session/json/redis", "1.40 µs", "≤ 1.30 µs", TargetVerdict::Misses),
        ]
    );
}

#[test]
fn the_document_has_a_chapter_on_the_server_under_load() {
    let folder = run();
    let document = || Document::new(BenchFigures::read(folder.path()).expect("figures"), None);
    assert!(!document().to_string().contains("## The whole server under load"), "it was not run");
    with_load(folder.path());
    let text = document().to_string();
    let page = "\
| The profile page | processor time | of Redis | requests per second | p50 | p99 |
| --- | --: | --: | --: | --: | --: |
| `jwt` | 60.0 µs (30.0 µs to 120 µs) | 0 ns | 31,234 | 1.00 ms | 2.00 ms |
| a bare poem page | 20.0 µs (10.0 µs to 40.0 µs) | 0 ns | 31,234 | 1.00 ms | 2.00 ms |
";
    let json = "\
| `/api/me` | processor time | of Redis | requests per second | p50 | p99 |
| --- | --: | --: | --: | --: | --: |
| `jwt` | 20.0 µs (10.0 µs to 40.0 µs) | 0 ns | 31,234 | 1.00 ms | 2.00 ms |
| `session` | 30.0 µs (15.0 µs to 60.0 µs) | 1.40 µs | 31,234 | 1.00 ms | 2.00 ms |
| a bare poem handler | 16.0 µs (8.00 µs to 32.0 µs) | 0 ns | 31,234 | 1.00 ms | 2.00 ms |
| a bare poem handler with one `GET` | 22.0 µs (11.0 µs to 44.0 µs) | 1.50 µs | 31,234 | 1.00 ms | 2.00 ms |
";
    for table in [page, json] {
        assert!(text.contains(&format!("\n\n{table}\n")), "{table}\nis not in\n{text}");
    }
    assert!(text.contains("\n| `load/session/json/redis` | 1.40 µs | 700 ns | 2.80 µs |\n"), "{text}");
    let json = serde_json::to_string(document().figures()).expect("JSON");
    assert_eq!(Figures::parse(&json).expect("figures").loads[3], load("load/jwt", 60_000.0, 0.0));
}

#[test]
fn a_run_of_this_bench_alone_can_be_reported() {
    let (whole, folder) = (run(), tempfile::tempdir().expect("a folder"));
    with_load(whole.path());
    fs::copy(whole.path().join(BenchRun::FILE), folder.path().join(BenchRun::FILE)).expect("a file");
    let measured = BenchFigures::read(folder.path()).expect("figures");
    assert_eq!((measured.median("load/jwt"), measured.median("lookup/jwt")), (Some(60_000.0), None));
}
