//! The targets as data, and how a run compares with them.

mod list;

use jwt_vs_session::labs::figures::Spread;
use jwt_vs_session::units::time;
use serde::Serialize;

use super::criterion::BenchFigures;

/// What a target demands of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Limit {
    /// The largest ratio of the figure and its floor.
    Times {
        floor: &'static str,
        at_most: f64,
    },
    /// The largest difference between the figure and its floor.
    More {
        floor: &'static str,
        at_most_ns: f64,
    },
    Below {
        at_most_ns: f64,
    },
    /// Calls to a store for a check.
    Calls {
        exactly: f64,
    },
    /// On the server, for a login.
    Bytes {
        at_most: f64,
    },
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Target {
    pub what: &'static str,
    /// The id of the figure; for calls and bytes, the slug of the strategy.
    pub id: &'static str,
    pub limit: Limit,
    /// Why a run misses the target, as profiles show (`docs/profiles.md`).
    #[serde(skip)]
    pub in_the_way: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetVerdict {
    Meets,
    #[serde(rename = "open")]
    Misses,
    /// The run left out the figure or its floor.
    #[serde(rename = "unknown")]
    NotMeasured,
}

impl TargetVerdict {
    pub fn word(self) -> &'static str {
        match self {
            Self::Meets => "meets",
            Self::Misses => "misses",
            Self::NotMeasured => "not measured",
        }
    }
}

/// A target, and how a run compares with it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TargetResult {
    #[serde(flatten)]
    pub target: Target,
    /// The figure's median, where it is a time.
    pub median_ns: Option<f64>,
    pub floor_ns: Option<f64>,
    /// What the limit bounds: a ratio, nanoseconds, calls or bytes.
    pub value: Option<f64>,
    /// The spread of `value`, where the bench and its floor ran alternately.
    pub spread: Option<Spread>,
    pub verdict: TargetVerdict,
    /// Set if the run misses the target and the reason is known.
    pub in_the_way: Option<&'static str>,
}

/// Compares a run with every target.
pub fn results(measured: &BenchFigures) -> Vec<TargetResult> {
    list::TARGETS.iter().map(|target| target.result(measured)).collect()
}

impl Target {
    fn result(self, measured: &BenchFigures) -> TargetResult {
        let pair = self.limit.floor().and_then(|floor| measured.pair(self.id, floor));
        let (median_ns, floor_ns) = match pair {
            Some(pair) => (Some(pair.median_ns), Some(pair.against_median_ns)),
            None => (measured.median(self.id), self.limit.floor().and_then(|floor| measured.median(floor))),
        };
        let with_floor = median_ns.zip(floor_ns);
        let counts = measured.counts(self.id);
        let spread = match self.limit {
            Limit::Times { .. } => pair.map(|pair| pair.times),
            Limit::More { .. } => pair.map(|pair| pair.more_ns),
            Limit::Below { .. } | Limit::Calls { .. } | Limit::Bytes { .. } => None,
        };
        #[allow(clippy::cast_precision_loss)] // bytes of a login
        let value = match (self.limit, spread) {
            (_, Some(spread)) => Some(spread.median),
            (Limit::Times { .. }, None) => with_floor.map(|(one, floor)| one / floor),
            (Limit::More { .. }, None) => with_floor.map(|(one, floor)| one - floor),
            (Limit::Below { .. }, None) => median_ns,
            (Limit::Calls { .. }, None) => counts.map(|counts| counts.store_calls),
            (Limit::Bytes { .. }, None) => counts.map(|counts| counts.stored_bytes as f64),
        };
        let verdict = match value {
            Some(value) if self.limit.allows(value) => TargetVerdict::Meets,
            Some(_) => TargetVerdict::Misses,
            None => TargetVerdict::NotMeasured,
        };
        let in_the_way = self.in_the_way.filter(|_| verdict == TargetVerdict::Misses);
        TargetResult { target: self, median_ns, floor_ns, value, spread, verdict, in_the_way }
    }
}

impl Limit {
    /// The id of the floor.
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

    /// Writes a value with the unit of this limit.
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
    /// The value and the target, each with its unit.
    pub fn words(&self) -> (String, String) {
        let limit = self.target.limit;
        let value = self.value.map_or_else(|| "?".to_owned(), |value| limit.words(value));
        let target = match limit {
            Limit::Times { at_most, .. } => format!("≤ {at_most} ×"),
            Limit::More { at_most_ns, .. } => format!("≤ +{at_most_ns} ns"),
            Limit::Below { at_most_ns } => format!("≤ {}", time(at_most_ns)),
            Limit::Calls { exactly } => format!("{exactly}"),
            Limit::Bytes { at_most } => format!("≤ {at_most} B"),
        };
        (value, target)
    }

    /// The spread of the value: 5 % of the rounds are below, and 5 % above.
    pub fn spread_words(&self) -> Option<String> {
        let Spread { low, high, .. } = self.spread?;
        Some(format!("{} to {}", self.target.limit.words(low), self.target.limit.words(high)))
    }
}

/// Formats a difference of times in nanoseconds, with its sign.
pub fn difference(ns: f64) -> String {
    let sign = if ns < 0.0 { "−" } else { "+" };
    format!("{sign}{}", time(ns.abs()))
}
