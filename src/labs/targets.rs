//! What the project sets out to reach, as data, and how far a run got.

use serde::Serialize;

use super::criterion::Measured;

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
}

/// One target.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Target {
    /// What, in words.
    pub what: &'static str,
    /// The figure's id.
    pub id: &'static str,
    /// What it is held against.
    pub limit: Limit,
}

/// All of them.
pub const TARGETS: [Target; 15] = [
    times("jwt against its floor", "lookup/jwt", "floor/jwt", 1.3),
    times("session against a bare GET", "lookup/session", "floor/redis-get", 1.1),
    times("session against a bare GET, over TCP", "lookup/session-tcp", "floor/redis-get-tcp", 1.1),
    times("session-sql against a bare SELECT", "lookup/session-sql", "floor/sql-select", 1.5),
    times("session-tracked, hit, against jwt", "lookup/session-tracked-hits-100", "lookup/jwt", 1.0),
    below("session-tracked, hit", "lookup/session-tracked-hits-100", 500.0),
    more("jwt-pushed, a million revoked, against jwt", "scale/jwt-pushed/1000000", "lookup/jwt", 150.0),
    times("session, a thousand to a million", "scale/session/1000000", "scale/session/1000", 1.15),
    times("jwt-blocklist, a thousand to a million", "scale/jwt-blocklist/1000000", "scale/jwt-blocklist/1000", 1.15),
    times("session-sql, a thousand to a million", "scale/session-sql/1000000", "scale/session-sql/1000", 2.5),
    times("session-memory, a thousand to a million", "scale/session-memory/1000000", "scale/session-memory/1000", 10.0),
    times(
        "session-tracked, a thousand to a million",
        "scale/session-tracked/1000000",
        "scale/session-tracked/1000",
        10.0,
    ),
    times("jwt-pushed, a thousand to a million", "scale/jwt-pushed/1000000", "scale/jwt-pushed/1000", 10.0),
    times("session, 64 at once, against bare GETs", "lookup/session/64", "floor/redis-get/64", 1.1),
    times("session-sql, 64 at once, against bare SELECTs", "lookup/session-sql/64", "floor/sql-select/64", 1.5),
];

const fn times(what: &'static str, id: &'static str, floor: &'static str, at_most: f64) -> Target {
    Target { what, id, limit: Limit::Times { floor, at_most } }
}

const fn more(what: &'static str, id: &'static str, floor: &'static str, at_most_ns: f64) -> Target {
    Target { what, id, limit: Limit::More { floor, at_most_ns } }
}

const fn below(what: &'static str, id: &'static str, at_most_ns: f64) -> Target {
    Target { what, id, limit: Limit::Below { at_most_ns } }
}

/// What a run says of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is reached.
    Meets,
    /// It is not reached yet.
    Open,
    /// The run left one of the two out.
    Unknown,
}

impl Verdict {
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
pub struct Reached {
    /// The target.
    #[serde(flatten)]
    pub target: Target,
    /// The figure's median in nanoseconds.
    pub median_ns: Option<f64>,
    /// The median that it is held against.
    pub floor_ns: Option<f64>,
    /// The ratio of the two, where a ratio is asked for.
    pub ratio: Option<f64>,
    /// Whether it is reached.
    pub verdict: Verdict,
}

/// Every target, held against a run.
pub fn reached(measured: &Measured) -> Vec<Reached> {
    TARGETS.iter().map(|target| one(*target, measured)).collect()
}

fn one(target: Target, measured: &Measured) -> Reached {
    let median_ns = measured.median(target.id);
    let (floor_ns, bound) = match target.limit {
        Limit::Times { floor, at_most } => {
            let floor = measured.median(floor);
            (floor, floor.map(|floor| floor * at_most))
        }
        Limit::More { floor, at_most_ns } => {
            let floor = measured.median(floor);
            (floor, floor.map(|floor| floor + at_most_ns))
        }
        Limit::Below { at_most_ns } => (None, Some(at_most_ns)),
    };
    let ratio = match target.limit {
        Limit::Times { .. } => median_ns.zip(floor_ns).map(|(median, floor)| median / floor),
        Limit::More { .. } | Limit::Below { .. } => None,
    };
    let verdict = match median_ns.zip(bound) {
        Some((median, bound)) if median <= bound => Verdict::Meets,
        Some(_) => Verdict::Open,
        None => Verdict::Unknown,
    };
    Reached { target, median_ns, floor_ns, ratio, verdict }
}

impl Reached {
    /// What was measured and what is asked for, each in a few words.
    pub fn words(&self) -> (String, String) {
        let number = |ratio: Option<f64>| ratio.map_or_else(|| "?".to_owned(), |ratio| format!("{ratio:.2} ×"));
        match self.target.limit {
            Limit::Times { at_most, .. } => (number(self.ratio), format!("≤ {at_most} ×")),
            Limit::More { at_most_ns, .. } => {
                let more = self.median_ns.zip(self.floor_ns).map(|(median, floor)| median - floor);
                (more.map_or_else(|| "?".to_owned(), signed), format!("≤ +{at_most_ns} ns"))
            }
            Limit::Below { at_most_ns } => {
                (self.median_ns.map_or_else(|| "?".to_owned(), readable), format!("≤ {at_most_ns} ns"))
            }
        }
    }

    /// The id that it is held against.
    pub fn floor(&self) -> &'static str {
        match self.target.limit {
            Limit::Times { floor, .. } | Limit::More { floor, .. } => floor,
            Limit::Below { .. } => "",
        }
    }
}

fn signed(nanos: f64) -> String {
    let sign = if nanos < 0.0 { "−" } else { "+" };
    format!("{sign}{}", readable(nanos.abs()))
}

/// Nanoseconds with three digits and a unit, as in `1.23 µs`.
pub fn readable(nanos: f64) -> String {
    let (value, unit) = match nanos {
        n if n < 999.5 => (n, "ns"),
        n if n < 999.5e3 => (n / 1e3, "µs"),
        n if n < 999.5e6 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$} {unit}")
}
