//! The measured figures of the strategies, with machine and method. The frontier and the capacity view show them.

use serde::{Deserialize, Serialize};

use crate::auth::Description;
use crate::units::quantile;

/// Why a file holds no figures.
#[derive(Debug, thiserror::Error)]
pub enum FiguresError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("the time of a check of {0} is no interval")]
    Spread(String),
}

/// The figures of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    pub source: Source,
    pub rows: Vec<StrategyFigures>,
    /// Older files have none.
    #[serde(default)]
    pub plain: Vec<PlainFigures>,
    /// Older files have none.
    #[serde(default)]
    pub loads: Vec<LoadFigures>,
    /// Strategies that were measured with another set-up than this server's, in words. No page shows their figures.
    #[serde(skip)]
    pub not_comparable: Vec<String>,
}

impl Figures {
    /// Parses a file that `cargo bench --bench report -- figures --format json` wrote.
    pub fn parse(text: &str) -> Result<Self, FiguresError> {
        let figures: Self = serde_json::from_str(text)?;
        let checks = figures.rows.iter().map(|row| (&row.strategy, row.identify_ns));
        let mut checks = checks.chain(figures.plain.iter().map(|plain| (&plain.name, plain.check_ns)));
        match checks.find(|(_, spread)| !spread.is_ordered()) {
            Some((name, _)) => Err(FiguresError::Spread(name.clone())),
            None => Ok(figures),
        }
    }

    /// The figures of an earlier measurement that this program was built with.
    pub fn embedded() -> Option<Self> {
        let text = include_str!(concat!(env!("OUT_DIR"), "/figures.json"));
        (!text.is_empty()).then(|| Self::parse(text).ok()).flatten()
    }

    /// Removes the rows that were measured with another algorithm, or with another kind of store, and the plain
    /// variants beside them. The product and version of the database may differ: `versions` names them.
    #[must_use]
    pub fn comparable_with<'a>(mut self, descriptions: impl Iterator<Item = &'a Description>) -> Self {
        for (slug, here) in descriptions.map(|description| (description.slug, description.setup())) {
            let unlike = |row: &mut StrategyFigures| {
                row.strategy == slug && row.setup.as_ref().is_some_and(|there| *there != here)
            };
            let removed = self.rows.extract_if(.., unlike).filter_map(|row| row.setup);
            self.not_comparable.extend(removed.map(|there| format!("{slug} ({there}; here {here})")));
        }
        let Self { rows, plain, .. } = &mut self;
        plain.retain(|plain| rows.iter().any(|row| row.strategy == plain.beside));
        self
    }

    pub fn row(&self, strategy: &str) -> Option<&StrategyFigures> {
        self.rows.iter().find(|row| row.strategy == strategy)
    }
}

/// How the figures were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// By the cost lab, in seconds: only the order of magnitude is reliable.
    Indicative,
    /// By `cargo bench --bench lookup`.
    Criterion,
}

/// Where, when and how figures were measured: without it they mean nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Source {
    pub method: Method,
    /// Processor, cores, system.
    pub machine: String,
    /// As in `2026-11-22`.
    pub date: String,
    /// Of the compiler, of Redis and of the database, as far as known.
    pub versions: String,
    /// The load average of the minute before the run, in processes.
    pub load: Option<f64>,
}

/// The figures of one strategy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StrategyFigures {
    /// The slug.
    pub strategy: String,
    /// The time of a check.
    pub identify_ns: Spread,
    pub issue_ns: Option<Spread>,
    pub revoke_ns: Option<Spread>,
    /// For each check.
    pub store_calls: f64,
    /// The credentials that each request carries.
    pub request_bytes: u64,
    /// On the server, for the first login of a user.
    pub stored_bytes: u64,
    /// The part of `stored_bytes` that the user's further logins share.
    #[serde(default)]
    pub user_bytes: u64,
    /// Where a node keeps copies: the time of a check that misses them.
    #[serde(default)]
    pub miss_ns: Option<f64>,
    /// See [`crate::auth::Description::setup`].
    #[serde(default)]
    pub setup: Option<String>,
    /// The processor time of a check, of the server's process only.
    #[serde(default)]
    pub cpu_ns: Option<f64>,
    /// The mean time of a check. Many checks together take this long each.
    #[serde(default)]
    pub identify_mean_ns: Option<f64>,
    /// From the revocation lab, if it ran.
    pub staleness_ms: Option<Staleness>,
}

/// The figures of a plain variant: what a textbook shows, without what our strategy adds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlainFigures {
    pub name: String,
    /// The slug of the strategy that does the same and more.
    pub beside: String,
    /// What it does, in words.
    pub what: String,
    pub check_ns: Spread,
    /// `None`: it cannot revoke a login.
    pub revoke_ns: Option<Spread>,
    pub staleness_note: String,
    /// What our strategy adds, and what that costs, in sentences.
    pub comparison: String,
}

/// The figures of a server under load, from rounds of requests over sockets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadFigures {
    /// Such as `load/jwt` for the profile page and `load/jwt/json` for `/api/me`.
    pub id: String,
    /// The processor time of a request, of the server and Redis together.
    pub processor_ns: Spread,
    /// The part of Redis.
    pub redis_ns: Spread,
    pub requests_per_second: Spread,
    /// Of the times between a request and the last byte of its answer: the median, and what 1 % of the requests exceed.
    pub p50_ns: Spread,
    pub p99_ns: Spread,
}

/// A median and the range around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// 5 % of the samples are below.
    pub low: f64,
    pub median: f64,
    /// 5 % of the samples are above.
    pub high: f64,
}

impl Spread {
    /// Computes the spread of samples in any order, by the nearest rank. `None` without samples.
    pub fn of(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        let at = |percent| quantile(&samples, percent);
        Some(Self { low: at(5)?, median: at(50)?, high: at(95)? })
    }

    fn is_ordered(&self) -> bool {
        0.0 < self.low && self.low <= self.median && self.median <= self.high
    }
}

/// The staleness on another node, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Staleness {
    /// The median of the trials.
    pub p50: f64,
    pub worst: f64,
    /// What the strategy promises.
    pub bound: f64,
    /// The life of a token in the experiment, where only expiry ends a login.
    pub shortened_life: Option<f64>,
    /// Whether a node still accepted a login when the probes stopped: `worst` is a lower limit then.
    #[serde(default)]
    pub at_least: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_the_build_can_be_parsed() {
        let text = include_str!(concat!(env!("OUT_DIR"), "/figures.json"));
        assert!(text.is_empty() || Figures::parse(text).is_ok(), "{:?}", Figures::parse(text));
    }
}
