//! What was measured of the strategies, and where and how: what the frontier, the capacity sheet and `docs/figures.md`
//! are made of.

use serde::{Deserialize, Serialize};

use crate::auth::Description;
use crate::units::quantile;

/// The figures of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Where they come from.
    pub source: Source,
    /// A row for each strategy that was measured.
    pub rows: Vec<StrategyFigures>,
    /// What was measured with another set-up than this server's and so is not shown, in words.
    #[serde(skip)]
    pub not_comparable: Vec<String>,
}

impl Figures {
    /// From the text of a file that `lab figures` wrote.
    pub fn parse(text: &str) -> Result<Self, String> {
        let figures: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let good = |interval: &Spread| {
            interval.low > 0.0 && interval.low <= interval.median && interval.median <= interval.high
        };
        match figures.rows.iter().find(|row| !good(&row.identify_ns)) {
            Some(row) => Err(format!("identify_ns of {} is no interval", row.strategy)),
            None => Ok(figures),
        }
    }

    /// Those that this program was built with: the last run of the benches that was kept.
    pub fn embedded() -> Option<Self> {
        let text = include_str!(concat!(env!("OUT_DIR"), "/figures.json"));
        (!text.is_empty()).then(|| Self::parse(text).ok()).flatten()
    }

    /// Without the rows that were measured with another algorithm, or with Redis or the SQL database where these
    /// strategies have none. Which SQL database it was is told by the versions.
    #[must_use]
    pub fn comparable_with<'a>(mut self, descriptions: impl Iterator<Item = &'a Description>) -> Self {
        for (slug, here) in descriptions.map(|description| (description.slug, description.setup())) {
            let unlike = |row: &mut StrategyFigures| {
                row.strategy == slug && row.setup.as_ref().is_some_and(|there| *there != here)
            };
            let gone = self.rows.extract_if(.., unlike).filter_map(|row| row.setup);
            self.not_comparable.extend(gone.map(|there| format!("{slug} ({there}; here {here})")));
        }
        self
    }

    /// The row of a strategy.
    pub fn row(&self, strategy: &str) -> Option<&StrategyFigures> {
        self.rows.iter().find(|row| row.strategy == strategy)
    }
}

/// How the figures were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// In seconds, by the cost lab: the order of magnitude is right.
    Indicative,
    /// By `cargo bench --bench lookup`.
    Criterion,
}

/// Where figures come from: without it they mean nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Source {
    /// How.
    pub method: Method,
    /// Processor, cores, system.
    pub machine: String,
    /// The day, as `2026-11-22`.
    pub date: String,
    /// Of the compiler, of Redis and of the database, as far as known.
    pub versions: String,
    /// The load of the machine before the run, if known.
    pub load: Option<f64>,
}

/// One strategy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StrategyFigures {
    /// Its name.
    pub strategy: String,
    /// Finding out who asks, in nanoseconds.
    pub identify_ns: Spread,
    /// Opening a login, in nanoseconds.
    pub issue_ns: Option<Spread>,
    /// Ending it, in nanoseconds.
    pub revoke_ns: Option<Spread>,
    /// Calls to a store for each request.
    pub store_calls: f64,
    /// The credentials as sent with each request, in bytes.
    pub request_bytes: u64,
    /// On the server, for the first login of a user, in bytes.
    pub stored_bytes: u64,
    /// How many of these are of the user: further logins share them.
    #[serde(default)]
    pub user_bytes: u64,
    /// Where a node keeps copies: finding out who asks without one, in nanoseconds, where it was measured.
    #[serde(default)]
    pub miss_ns: Option<f64>,
    /// The set-up that was measured: see [`crate::auth::Description::setup`].
    #[serde(default)]
    pub setup: Option<String>,
    /// The processor's time for finding out who asks, of the server's process, in nanoseconds, where it was measured.
    #[serde(default)]
    pub cpu_ns: Option<f64>,
    /// The mean of the same as `identify_ns`, where it is known: what many checks take together.
    #[serde(default)]
    pub identify_mean_ns: Option<f64>,
    /// From the revocation lab, where it was run.
    pub staleness_ms: Option<Staleness>,
}

/// A median and what lies around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The lower end: 5 % of the samples are below.
    pub low: f64,
    /// Half of the samples are below.
    pub median: f64,
    /// The upper end: 5 % of the samples are above.
    pub high: f64,
}

impl Spread {
    /// Of samples, in any order, by the nearest rank. `None` without any.
    pub fn of(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        let at = |percent| quantile(&samples, percent);
        Some(Self { low: at(5)?, median: at(50)?, high: at(95)? })
    }
}

/// How long a revoked login went on being accepted on another node, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Staleness {
    /// Of half of the trials.
    pub p50: f64,
    /// Of the worst trial.
    pub worst: f64,
    /// What the strategy promises.
    pub bound: f64,
    /// Where only expiry ends a login: the life of a token in the experiment.
    pub shortened_life: Option<f64>,
    /// Whether a login was still accepted when the asking ended: it may have been much longer.
    #[serde(default)]
    pub at_least: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_the_repository_are_none_or_good() {
        let text = include_str!(concat!(env!("OUT_DIR"), "/figures.json"));
        assert!(text.is_empty() || Figures::parse(text).is_ok(), "{:?}", Figures::parse(text));
    }
}
