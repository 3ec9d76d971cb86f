//! Figures become points: the cost of a check and the worst staleness, as numbers and in words.

use serde::Serialize;

use crate::auth::{CredentialKind, Description, Promise};
use crate::labs::figures::{Figures, Spread};
use crate::units::{span, time};

/// A strategy with its cost and staleness.
#[derive(Clone, Debug, Serialize)]
pub struct FrontierPoint {
    pub slug: &'static str,
    /// Decides the colour and the shape.
    pub kind: CredentialKind,
    pub gives_up: &'static str,
    /// Whether every node knows its logins.
    pub shared: bool,
    /// The time of a check, in nanoseconds.
    pub cost: Spread,
    /// The worst staleness in milliseconds: measured, or the life of a token.
    pub staleness: f64,
    /// The median staleness of the trials. `None`: only expiry ends a login.
    pub usual: Option<f64>,
    /// Where only expiry ends a login: the life of a token in the experiment, in milliseconds.
    pub shortened: Option<f64>,
    /// The promise for a cut push channel, in milliseconds.
    pub bound: Option<f64>,
    pub cost_words: String,
    pub spread_words: String,
    /// Where nodes keep copies: the cost is that of a hit, and a miss takes longer.
    pub miss_words: Option<String>,
    pub staleness_words: String,
    /// How the staleness was measured.
    pub staleness_note: String,
    /// Whether the staleness is from an earlier measurement, and the cost is not.
    pub borrowed: bool,
}

/// The points of these figures. If a staleness is missing, that of an earlier measurement is used.
pub fn points<'a>(
    figures: &Figures,
    earlier: Option<&Figures>,
    descriptions: impl Iterator<Item = &'a Description>,
) -> Vec<FrontierPoint> {
    descriptions.filter_map(|description| point(figures, earlier, description)).collect()
}

fn point(figures: &Figures, earlier: Option<&Figures>, description: &Description) -> Option<FrontierPoint> {
    let row = figures.row(description.slug)?;
    let known = earlier.and_then(|earlier| earlier.row(description.slug)?.staleness_ms);
    let borrowed = row.staleness_ms.is_none();
    let measured = row.staleness_ms.or(known)?;
    let (staleness, usual, bound) = match description.promise {
        Promise::Immediate => (measured.worst, Some(measured.p50), None),
        Promise::Push { bound_ms } => (measured.worst, Some(measured.p50), Some(millis(bound_ms))),
        Promise::Expiry { bound_ms } => (millis(bound_ms), None, None),
    };
    let shortened = measured.shortened_life.filter(|_| usual.is_none());
    let (cost_words, spread_words) = cost_words(&row.identify_ns);
    let at_least = if staleness > 0.0 && measured.at_least && usual.is_some() { "at least " } else { "" };
    Some(FrontierPoint {
        slug: description.slug,
        kind: description.kind,
        gives_up: description.texts.gives_up,
        shared: description.shared,
        cost: row.identify_ns,
        staleness,
        usual,
        shortened,
        bound,
        cost_words,
        spread_words,
        miss_words: row.miss_ns.map(|miss| format!("a hit; a miss takes {}", time(miss))),
        staleness_words: format!("{at_least}{}", staleness_words(staleness)),
        staleness_note: if description.shared {
            note(usual, shortened, bound, staleness)
        } else {
            "no other node knows the login".to_owned()
        },
        borrowed,
    })
}

fn note(usual: Option<f64>, shortened: Option<f64>, bound: Option<f64>, worst: f64) -> String {
    let ms = |ms: f64| span(ms * 1e6);
    let measured = match (usual, shortened) {
        (None, Some(life)) => return format!("the life of a token; the experiment ran with {}", ms(life)),
        (None, None) => return "the life of a token".to_owned(),
        (Some(usual), _) if usual > 0.0 => format!("{} in half of the trials", ms(usual)),
        (Some(_), _) if worst > 0.0 => "none in half of the trials".to_owned(),
        _ => "in no trial".to_owned(),
    };
    match bound {
        Some(bound) => format!("{measured}; promised {} with the channel cut", ms(bound)),
        None => measured,
    }
}

/// The median of a cost, and its spread.
pub(super) fn cost_words(cost: &Spread) -> (String, String) {
    (time(cost.median), format!("{} to {}", time(cost.low), time(cost.high)))
}

/// The words for a staleness in milliseconds.
pub(super) fn staleness_words(staleness: f64) -> String {
    if staleness > 0.0 { span(staleness * 1e6) } else { "none accepted".to_owned() }
}

#[allow(clippy::cast_precision_loss)] // lives are far below 2^52 ms
pub(super) fn millis(ms: u64) -> f64 {
    ms as f64
}
