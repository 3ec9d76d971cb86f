//! What was measured of the strategies, and where and how: what the frontier, the capacity sheet and `docs/figures.md`
//! are made of.

use serde::{Deserialize, Serialize};

/// The figures of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Where they come from.
    pub source: Source,
    /// A row for each strategy that was measured.
    pub rows: Vec<Row>,
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
pub struct Row {
    /// Its name.
    pub strategy: String,
    /// Finding out who asks, in nanoseconds.
    pub identify_ns: Interval,
    /// Opening a login, in nanoseconds.
    pub issue_ns: Option<Interval>,
    /// Ending it, in nanoseconds.
    pub revoke_ns: Option<Interval>,
    /// Calls to a store for each request.
    pub store_calls: f64,
    /// The credential as sent with each request, in bytes.
    pub request_bytes: u64,
    /// On the server, for each login, in bytes.
    pub stored_bytes: u64,
    /// From the revocation lab, where it was run.
    pub staleness_ms: Option<Staleness>,
}

/// A median and what lies around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end: 5 % of the samples are below.
    pub low: f64,
    /// Half of the samples are below.
    pub median: f64,
    /// The upper end: 5 % of the samples are above.
    pub high: f64,
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
}
