//! The report of a run, for programs and as figures for the frontier.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::floors::FloorTimes;
use super::samples::Percentiles;
use super::setup::{COOKIE_LIMIT, Conditions};
use crate::auth::Failure;
use crate::labs::figures::{Figures, Source, Staleness, StrategyFigures};
use crate::store::StoreError;

#[derive(Clone, Debug, Serialize)]
pub struct CostReport {
    /// Stands with every figure: seconds show the order of magnitude.
    pub indicative: bool,
    /// `release` or `debug`.
    pub build: &'static str,
    pub source: Source,
    pub conditions: Conditions,
    /// Measured in the same run.
    pub floors: FloorTimes,
    pub results: Vec<CostResult>,
    pub not_measured: Vec<NotMeasured>,
}

/// What was measured of one strategy.
#[derive(Clone, Debug, Serialize)]
pub struct CostResult {
    pub strategy: &'static str,
    /// A check alone.
    pub identify_ns: Percentiles,
    /// The bare call to the same store, between the checks: floors change with time. `None` where a check calls no store.
    pub floor_ns: Option<Percentiles>,
    /// Opening a login.
    pub issue_ns: Percentiles,
    /// Revoking it.
    pub revoke_ns: Percentiles,
    /// Calls to a store for each check, from the trace.
    pub store_calls: f64,
    /// The algorithm, and the store.
    pub setup: String,
    /// The credentials as sent.
    pub request_bytes: u64,
    /// On the server, for the first login of a user.
    pub stored_bytes: u64,
    /// The part of `stored_bytes` that the user's other logins share.
    pub user_bytes: u64,
    /// How the stored bytes were measured.
    pub stored_how: &'static str,
    /// Processor time of a check, of this process alone. `None` with an added delay or with misses.
    pub cpu_ns: Option<f64>,
    /// How many logins were open meanwhile.
    pub logins: usize,
    /// How many checks were timed.
    pub probes: usize,
    /// On another node, without the added delay.
    pub staleness_ms: Option<Staleness>,
}

/// A strategy without figures.
#[derive(Clone, Debug, Serialize)]
pub struct NotMeasured {
    pub strategy: &'static str,
    #[serde(serialize_with = "as_text")]
    pub why: NotMeasuredReason,
}

/// Why a strategy has no figures under these conditions. Each is a sentence for the report.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotMeasuredReason {
    #[error("{}", StoreError::Absent { store: crate::store::Redis::NAME }.sentence())]
    WithoutRedis,
    #[error("No login could be opened with claims of this size: {0}")]
    ClaimsTooLarge(Arc<Failure>),
    /// Name and value.
    #[error("The cookie would have {bytes} bytes; browsers need not keep more than {COOKIE_LIMIT}.")]
    CookieTooLarge { bytes: usize },
    #[error("Somebody stopped the run before this strategy was complete.")]
    Stopped,
    #[error("The run took its maximum time before this strategy was complete.")]
    OutOfTime,
}

fn as_text<S: Serializer>(reason: &NotMeasuredReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(reason)
}

/// Stands beside the figures of a debug build.
pub const DEBUG_WARNING: &str = "THIS IS A DEBUG BUILD: ignore its figures. Use cargo run --release -- lab cost";

impl CostReport {
    pub(super) fn new(conditions: Conditions, source: Source, floors: FloorTimes) -> Self {
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        let (results, not_measured) = (Vec::new(), Vec::new());
        Self { indicative: true, build, source, conditions, floors, results, not_measured }
    }

    /// Whether somebody stopped the run, so that strategies are missing.
    pub fn is_stopped(&self) -> bool {
        self.not_measured.iter().any(|row| matches!(row.why, NotMeasuredReason::Stopped))
    }

    pub fn is_debug(&self) -> bool {
        cfg!(debug_assertions)
    }

    /// As the frontier and the capacity view read them.
    pub fn figures(&self) -> Figures {
        Figures {
            source: self.source.clone(),
            rows: self.results.iter().map(CostResult::figures).collect(),
            plain: Vec::new(),
            loads: Vec::new(),
            not_comparable: Vec::new(),
        }
    }
}

impl CostResult {
    fn figures(&self) -> StrategyFigures {
        StrategyFigures {
            strategy: self.strategy.to_owned(),
            identify_ns: self.identify_ns.spread(),
            issue_ns: Some(self.issue_ns.spread()),
            revoke_ns: Some(self.revoke_ns.spread()),
            store_calls: self.store_calls,
            request_bytes: self.request_bytes,
            stored_bytes: self.stored_bytes,
            user_bytes: self.user_bytes,
            miss_ns: None,
            setup: Some(self.setup.clone()),
            cpu_ns: self.cpu_ns,
            identify_mean_ns: Some(self.identify_ns.mean),
            staleness_ms: self.staleness_ms,
        }
    }
}
