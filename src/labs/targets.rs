//! What the project sets out to reach, as data, and how far a run got.

use serde::Serialize;

use super::criterion::BenchFigures;
use super::figures::Spread;
use crate::units::{difference, time};

mod all;

pub use self::all::TARGETS;

/// What a figure is held against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Limit {
    /// At most so many times another figure.
    Times {
        /// Its id.
        floor: &'static str,
        /// So many times.
        at_most: f64,
    },
    /// At most so much more than another figure.
    More {
        /// Its id.
        floor: &'static str,
        /// In nanoseconds.
        at_most_ns: f64,
    },
    /// At most so much.
    Below {
        /// In nanoseconds.
        at_most_ns: f64,
    },
    /// Exactly so many calls to a store for a check.
    Calls {
        /// So many.
        exactly: f64,
    },
    /// At most so much on the server for a login.
    Bytes {
        /// In bytes.
        at_most: f64,
    },
}

/// One target.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Target {
    /// What, in words.
    pub what: &'static str,
    /// The id of the figure; of calls and bytes, the strategy.
    pub id: &'static str,
    /// What it is held against.
    pub limit: Limit,
    /// What stands in the way where it is missed, as profiles showed (`docs/profiles.md`).
    #[serde(skip)]
    pub in_the_way: Option<&'static str>,
}

/// What a run says of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetVerdict {
    /// It is reached.
    Meets,
    /// It is not reached yet.
    Open,
    /// The run left one of the two out.
    Unknown,
}

impl TargetVerdict {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Meets => "meets",
            Self::Open => "misses",
            Self::Unknown => "not measured",
        }
    }
}

/// A target, and how far a run got.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TargetResult {
    /// The target.
    #[serde(flatten)]
    pub target: Target,
    /// The figure's median in nanoseconds, where it is a time.
    pub median_ns: Option<f64>,
    /// The median that it is held against.
    pub floor_ns: Option<f64>,
    /// What is compared with the limit: times, nanoseconds, calls or bytes.
    pub value: Option<f64>,
    /// What lies around it, where the two took turns.
    pub spread: Option<Spread>,
    /// Whether it is reached.
    pub verdict: TargetVerdict,
    /// What stands in the way, if it is missed and known.
    pub in_the_way: Option<&'static str>,
}

/// Every target, held against a run.
pub fn reached(measured: &BenchFigures) -> Vec<TargetResult> {
    TARGETS.iter().map(|target| target.reached(measured)).collect()
}

impl Target {
    fn reached(self, measured: &BenchFigures) -> TargetResult {
        let pair = self.limit.floor().and_then(|floor| measured.pair(self.id, floor));
        let (median_ns, floor_ns) = match pair {
            Some(pair) => (Some(pair.median_ns), Some(pair.against_median_ns)),
            None => (measured.median(self.id), self.limit.floor().and_then(|floor| measured.median(floor))),
        };
        let both = median_ns.zip(floor_ns);
        let facts = measured.facts(self.id);
        let spread = match self.limit {
            Limit::Times { .. } => pair.map(|pair| pair.times),
            Limit::More { .. } => pair.map(|pair| pair.more_ns),
            Limit::Below { .. } | Limit::Calls { .. } | Limit::Bytes { .. } => None,
        };
        #[allow(clippy::cast_precision_loss)] // bytes of a login
        let value = match (self.limit, spread) {
            (_, Some(spread)) => Some(spread.median),
            (Limit::Times { .. }, None) => both.map(|(one, other)| one / other),
            (Limit::More { .. }, None) => both.map(|(one, other)| one - other),
            (Limit::Below { .. }, None) => median_ns,
            (Limit::Calls { .. }, None) => facts.map(|facts| facts.store_calls),
            (Limit::Bytes { .. }, None) => facts.map(|facts| facts.stored_bytes as f64),
        };
        let verdict = match value {
            Some(value) if self.limit.allows(value) => TargetVerdict::Meets,
            Some(_) => TargetVerdict::Open,
            None => TargetVerdict::Unknown,
        };
        let in_the_way = self.in_the_way.filter(|_| verdict == TargetVerdict::Open);
        TargetResult { target: self, median_ns, floor_ns, value, spread, verdict, in_the_way }
    }
}

impl Limit {
    /// The id that a figure is held against.
    pub fn floor(self) -> Option<&'static str> {
        match self {
            Self::Times { floor, .. } | Self::More { floor, .. } => Some(floor),
            Self::Below { .. } | Self::Calls { .. } | Self::Bytes { .. } => None,
        }
    }

    fn allows(self, value: f64) -> bool {
        match self {
            Self::Times { at_most, .. } | Self::Bytes { at_most } => value <= at_most,
            Self::More { at_most_ns, .. } | Self::Below { at_most_ns } => value <= at_most_ns,
            Self::Calls { exactly } => (value - exactly).abs() < f64::EPSILON,
        }
    }

    /// A value as it is compared with this limit, in a few words.
    fn words(self, value: f64) -> String {
        match self {
            Self::Times { .. } => format!("{value:.2} ×"),
            Self::More { .. } => difference(value),
            Self::Below { .. } => time(value),
            Self::Calls { .. } => format!("{value}"),
            Self::Bytes { .. } => format!("{value} B"),
        }
    }
}

impl TargetResult {
    /// What was measured and what is asked for, each in a few words.
    pub fn words(&self) -> (String, String) {
        let limit = self.target.limit;
        let is = self.value.map_or_else(|| "?".to_owned(), |value| limit.words(value));
        let should = match limit {
            Limit::Times { at_most, .. } => format!("≤ {at_most} ×"),
            Limit::More { at_most_ns, .. } => format!("≤ +{at_most_ns} ns"),
            Limit::Below { at_most_ns } => format!("≤ {}", time(at_most_ns)),
            Limit::Calls { exactly } => format!("{exactly}"),
            Limit::Bytes { at_most } => format!("≤ {at_most} B"),
        };
        (is, should)
    }

    /// What lies around the value, where the two took turns: 5 % of the turns are below, and 5 % above.
    pub fn around(&self) -> Option<String> {
        let Spread { low, high, .. } = self.spread?;
        Some(format!("{} to {}", self.target.limit.words(low), self.target.limit.words(high)))
    }
}
