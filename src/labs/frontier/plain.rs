//! The plain variants as points: the textbook's way, beside the strategy that does the same and more.

use serde::Serialize;

use super::points::{FrontierPoint, cost_words, millis, staleness_words};
use crate::auth::Description;
use crate::labs::figures::{Figures, PlainFigures, Spread};
use crate::units::time;

/// A plain variant with its cost and staleness.
#[derive(Clone, Debug, Serialize)]
pub struct PlainPoint {
    pub name: String,
    /// The slug of the strategy that does the same and more.
    pub beside: &'static str,
    pub what: String,
    /// The time of a check, in nanoseconds.
    pub cost: Spread,
    /// The worst staleness, in milliseconds: the life of a token, or zero.
    pub staleness: f64,
    pub cost_words: String,
    pub spread_words: String,
    /// The time of a revoke, where a revoke ends the login.
    pub revoke_words: Option<String>,
    pub staleness_words: String,
    pub staleness_note: String,
    /// What our strategy adds, and what that costs.
    pub comparison: String,
}

/// The plain variants of these figures, each whose strategy is among the points. Those of another run are not drawn:
/// beside figures of another machine or build they would mislead.
pub fn plain_points<'a>(
    figures: &Figures,
    points: &[FrontierPoint],
    descriptions: impl Iterator<Item = &'a Description>,
) -> Vec<PlainPoint> {
    let drawn: Vec<_> =
        descriptions.filter(|description| points.iter().any(|point| point.slug == description.slug)).collect();
    let point = |plain: &PlainFigures| {
        let description = drawn.iter().find(|description| description.slug == plain.beside)?;
        let promise = description.promise;
        let staleness = if promise.only_expires() { millis(promise.bound_ms()) } else { 0.0 };
        let (cost_words, spread_words) = cost_words(&plain.check_ns);
        Some(PlainPoint {
            name: plain.name.clone(),
            beside: description.slug,
            what: plain.what.clone(),
            cost: plain.check_ns,
            staleness,
            cost_words,
            spread_words,
            revoke_words: plain.revoke_ns.map(|revoke| time(revoke.median)),
            staleness_words: staleness_words(staleness),
            staleness_note: plain.staleness_note.clone(),
            comparison: plain.comparison.clone(),
        })
    };
    figures.plain.iter().filter_map(point).collect()
}
