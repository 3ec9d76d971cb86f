//! Figures become points: what a strategy costs, how stale it may be, and both in words.

use serde::Serialize;

use crate::auth::{CredentialKind, Description, Promise};
use crate::labs::figures::{Figures, Spread};
use crate::units::{span, time};

/// A strategy with both of its figures.
#[derive(Clone, Debug, Serialize)]
pub struct FrontierPoint {
    /// Its name.
    pub slug: &'static str,
    /// What the browser holds: it decides the colour and the shape.
    pub kind: CredentialKind,
    /// What one gives up by choosing it.
    pub gives_up: &'static str,
    /// Whether other nodes know its logins.
    pub shared: bool,
    /// Finding out who asks, in nanoseconds.
    pub cost: Spread,
    /// The worst staleness, in milliseconds: measured, or the life of a token.
    pub staleness: f64,
    /// That of half of the trials, where it was measured.
    pub usual: Option<f64>,
    /// Where only expiry ends a login: the shortened life that the experiment ran with, in milliseconds.
    pub shortened: Option<f64>,
    /// What is promised where a push is lost, in milliseconds.
    pub bound: Option<f64>,
    /// The cost in words.
    pub cost_words: String,
    /// Its spread in words.
    pub spread_words: String,
    /// Where nodes keep copies: that this is a check that finds one, and what the others take.
    pub miss_words: Option<String>,
    /// The staleness in words.
    pub staleness_words: String,
    /// How it was found out.
    pub staleness_note: String,
    /// Whether the staleness is of an earlier measurement than the cost.
    pub borrowed: bool,
}

/// The points of these figures, in their order. A staleness that is missing is taken from `earlier`.
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
        cost_words: time(row.identify_ns.median),
        spread_words: format!("{} to {}", time(row.identify_ns.low), time(row.identify_ns.high)),
        miss_words: row.miss_ns.map(|miss| format!("a hit; a miss takes {}", time(miss))),
        staleness_words: match (staleness > 0.0, measured.at_least && usual.is_some()) {
            (false, _) => "none accepted".to_owned(),
            (true, false) => span(staleness * 1e6),
            (true, true) => format!("at least {}", span(staleness * 1e6)),
        },
        staleness_note: if description.shared {
            note(usual, shortened, bound, staleness)
        } else {
            "no other node ever knew the login".to_owned()
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

#[allow(clippy::cast_precision_loss)] // lives are far below 2^52 ms
fn millis(ms: u64) -> f64 {
    ms as f64
}
