//! The frontier as pages show it: from the last run of this server, or else from figures of an earlier measurement.

use serde_json::{Value, json};

use super::state::AppState;
use crate::labs::cost::TRIALS;
use crate::labs::figures::{Figures, Method, Source};
use crate::labs::frontier::{Canvas, FrontierPoint, draw, points};

/// The figures that pages show, if there are any.
pub(super) fn in_use(state: &AppState) -> Option<Figures> {
    state.services.cost.report().map(|report| report.figures()).or_else(|| state.services.figures.clone())
}

/// Where they come from, in words.
pub(super) fn origin(state: &AppState) -> Option<String> {
    let here = state.services.cost.report();
    let source = here.as_ref().map(|report| &report.source);
    let source = source.or_else(|| state.services.figures.as_ref().map(|figures| &figures.source))?;
    let of_here = here.as_ref().map(|report| format!("the last run of this server, with {}", report.conditions));
    Some(words(source, of_here) + &unlike(&in_use(state)?))
}

/// What is not shown, as it says nothing about this server.
fn unlike(figures: &Figures) -> String {
    match figures.not_comparable.join(", ") {
        none if none.is_empty() => none,
        all => format!(" Measured with another set-up than this server's, and so not shown: {all}."),
    }
}

fn words(source: &Source, of_here: Option<String>) -> String {
    let Source { method, machine, date, versions, load } = source;
    let how = match (method, of_here) {
        (_, Some(of_here)) => format!("Indicative, measured in seconds: {of_here}"),
        (Method::Indicative, None) => "Indicative, measured in seconds, in an earlier run".to_owned(),
        (Method::Criterion, None) => "Measured by cargo bench --bench lookup, in an earlier run".to_owned(),
    };
    let load = load.map(|load| format!(", load {load:.1} before")).unwrap_or_default();
    format!("{how}. {machine}; {versions}; {date}{load}.")
}

/// The picture in both sizes, its table, and where the figures come from. `None`: nothing was measured yet.
pub(super) fn view(state: &AppState) -> Option<Value> {
    let figures = in_use(state)?;
    let earlier = state.services.figures.as_ref();
    let points = points(&figures, earlier, state.strategies().map(|strategy| strategy.describe()));
    let pictures: Vec<_> =
        [Canvas::WIDE, Canvas::NARROW].into_iter().filter_map(|canvas| draw(&points, canvas)).collect();
    if pictures.is_empty() {
        return None;
    }
    let borrowed =
        points.iter().any(|point| point.borrowed).then(|| earlier.map(|earlier| words(&earlier.source, None)));
    Some(json!({
        "pictures": pictures,
        "points": points,
        "origin": origin(state),
        "debug": state.services.cost.report().is_some_and(|report| report.is_debug()),
        "shortened": points.iter().any(|point| point.shortened.is_some()),
        "delayed": state.services.cost.report().is_some_and(|report| !report.conditions.delay.is_zero()),
        "trials": state.services.cost.report().map(|_| TRIALS),
        "sentence": sentence(&points),
        "borrowed": borrowed.flatten(),
    }))
}

/// The picture in one sentence, for who cannot see it.
fn sentence(points: &[FrontierPoint]) -> String {
    let words = |point: &FrontierPoint| format!("{}: {}, {}", point.slug, point.cost_words, point.staleness_words);
    points.iter().map(words).collect::<Vec<_>>().join("; ")
}
