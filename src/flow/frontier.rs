//! The frontier on pages: from the last run of this server, or else from an earlier measurement.

use serde_json::{Value, json};

use super::state::AppState;
use crate::labs::cost::TRIALS;
use crate::labs::figures::{Figures, Method, Source};
use crate::labs::frontier::{Canvas, draw, plain_points, points};

/// The figures that pages show, if any.
pub(super) fn in_use(state: &AppState) -> Option<Figures> {
    state.services.cost_runs.report().map(|report| report.figures()).or_else(|| state.services.figures.clone())
}

/// Where and how the figures were measured, in words.
pub(super) fn origin(state: &AppState) -> Option<String> {
    let report = state.services.cost_runs.report();
    let source = report.as_ref().map(|report| &report.source);
    let source = source.or_else(|| state.services.figures.as_ref().map(|figures| &figures.source))?;
    let of_this_server =
        report.as_ref().map(|report| format!("the last run of this server, with {}", report.conditions));
    Some(words(source, of_this_server) + &not_shown(&in_use(state)?))
}

/// The strategies that pages leave out, because their figures say nothing about this server.
fn not_shown(figures: &Figures) -> String {
    match figures.not_comparable.join(", ") {
        none if none.is_empty() => none,
        all => format!(" Not shown, because this server has another set-up: {all}."),
    }
}

fn words(source: &Source, of_this_server: Option<String>) -> String {
    let Source { method, machine, date, versions, load } = source;
    let how = match (method, of_this_server) {
        (_, Some(run)) => format!("Indicative, measured in seconds: {run}"),
        (Method::Indicative, None) => "Indicative, measured in seconds, in an earlier run".to_owned(),
        (Method::Criterion, None) => "Measured by cargo bench --bench lookup, in an earlier run".to_owned(),
    };
    let load = load.map(|load| format!(", load {load:.1} before")).unwrap_or_default();
    format!("{how}. {machine}; {versions}; {date}{load}.")
}

/// The picture in both sizes, its table, and the origin of the figures. `None`: there are no figures yet.
pub(super) fn view(state: &AppState) -> Option<Value> {
    let figures = in_use(state)?;
    let earlier = state.services.figures.as_ref();
    let descriptions = || state.strategies().map(|strategy| strategy.describe());
    let points = points(&figures, earlier, descriptions());
    let plain = plain_points(&figures, &points, descriptions());
    let pictures: Vec<_> =
        [Canvas::WIDE, Canvas::NARROW].into_iter().filter_map(|canvas| draw(&points, &plain, canvas)).collect();
    if pictures.is_empty() {
        return None;
    }
    let borrowed = points.iter().any(|point| point.borrowed);
    Some(json!({
        "pictures": pictures,
        "points": points,
        "origin": origin(state),
        "debug": state.services.cost_runs.report().is_some_and(|report| report.is_debug()),
        "shortened": points.iter().any(|point| point.shortened.is_some()),
        "delayed": state.services.cost_runs.report().is_some_and(|report| !report.conditions.delay.is_zero()),
        "trials": state.services.cost_runs.report().map(|_| TRIALS),
        "borrowed": earlier.filter(|_| borrowed).map(|earlier| words(&earlier.source, None)),
        "plain": plain,
    }))
}
