//! The table of results: a row for each strategy, the floors, where and how.

use serde_json::{Value, json};

use crate::auth::{Backend, Description};
use crate::flow::frontier::{in_use, origin};
use crate::flow::state::AppState;
use crate::labs::cost::{CostReport, CostResult, FloorTimes, Percentiles};
use crate::labs::figures::{Spread, StrategyFigures};
use crate::units::{grouped, time};

/// `None`: there are no figures yet.
pub(super) fn results(state: &AppState) -> Option<Value> {
    let figures = in_use(state)?;
    let report = state.services.cost_runs.report();
    let floors = report.as_ref().map(|report| report.floors);
    let descriptions = state.strategies().map(|strategy| strategy.describe());
    let rows: Vec<_> = descriptions
        .filter_map(|description| Some(row(description, figures.row(description.slug)?, report.as_deref())))
        .collect();
    Some(json!({
        "origin": origin(state),
        "conditions": report.as_ref().map(|report| report.conditions.to_string()),
        "rows": rows,
        "floors": floors.map(floor_rows),
        "not_measured": report.as_ref().map(|report| &report.not_measured),
    }))
}

fn row(description: &Description, row: &StrategyFigures, report: Option<&CostReport>) -> Value {
    let measured = report.and_then(|report| report.results.iter().find(|one| one.strategy == row.strategy));
    json!({
        "slug": description.slug,
        "kind": description.kind,
        "identify": times(&row.identify_ns),
        "p99": measured.map(|measured| time(measured.identify_ns.p99)),
        "floor": measured.and_then(|measured| beside_floor(description.backend, measured)),
        "issue": row.issue_ns.as_ref().map(times),
        "revoke": row.revoke_ns.as_ref().map(times),
        "calls": calls(row.store_calls),
        "sent": grouped_u64(row.request_bytes),
        "stored": grouped_u64(row.stored_bytes),
        "how": measured.map(|measured| measured.stored_how),
        "logins": measured.map(|measured| grouped_u64(measured.logins as u64)),
    })
}

fn times(spread: &Spread) -> Value {
    json!({ "median": time(spread.median), "low": time(spread.low), "high": time(spread.high) })
}

/// The check divided by the bare call to its store, which took turns with it.
fn beside_floor(backend: Backend, measured: &CostResult) -> Option<String> {
    let floor = measured.floor_ns.filter(|floor| floor.p50 > 0.0)?;
    let name = if backend == Backend::Redis { "a bare GET" } else { "a bare SELECT" };
    Some(format!("{:.1} × {name}", measured.identify_ns.p50 / floor.p50))
}

fn floor_rows(floors: FloorTimes) -> Vec<Value> {
    let all = [
        ("An empty call, and reading the clock", Some(floors.empty_call_ns)),
        ("A bare GET on the same connection", floors.get_ns),
        ("A bare SELECT on the same pool", Some(floors.select_ns)),
    ];
    let row = |(name, floor): (&str, Option<Percentiles>)| {
        let floor = floor?;
        Some(json!({ "name": name, "times": times(&floor.spread()), "p99": time(floor.p99) }))
    };
    all.into_iter().filter_map(row).collect()
}

fn calls(calls: f64) -> String {
    if calls.fract() == 0.0 { format!("{calls:.0}") } else { format!("{calls:.2}") }
}

#[allow(clippy::cast_precision_loss)] // bytes of a login
fn grouped_u64(number: u64) -> String {
    grouped(number as f64)
}
