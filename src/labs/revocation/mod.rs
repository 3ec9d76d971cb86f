//! How long does a revoked login go on being accepted, on the node that revoked it and on another one?
//!
//! A trial opens a login on one node and asks both nodes for it at a fixed pace, without waiting for the answer before:
//! a slow answer must not hide the next question. In the middle of it the login is revoked. What counts is the last
//! question that was asked after the revoke was answered and that was still accepted, and the first one from which on
//! all were refused: nobody knows when between the two the login ended.

pub mod live;
mod observation;
mod outcomes;
mod prober;
mod table;
pub(super) mod trial;

use std::time::Duration;

use serde::Serialize;

use self::outcomes::Outcomes;
use self::trial::{ProbeSchedule, pace, run_trial};
use super::figures::Staleness;
use super::nodes::NodePair;
use crate::auth::{Failure, Promise};
use crate::identity::Subject;

/// The pace where only expiry ends a login.
const SLOW: Duration = Duration::from_millis(1);

/// How many trials of a strategy that waits for expiry: each takes the whole life.
const EXPIRY_TRIALS: usize = 5;

/// What the experiment measured.
#[derive(Clone, Debug, Serialize)]
pub struct RevocationReport {
    /// A row for each strategy.
    pub results: Vec<RevocationResult>,
}

/// One strategy.
#[derive(Clone, Debug, Serialize)]
pub struct RevocationResult {
    /// Its name.
    pub strategy: &'static str,
    /// `immediate`, `push` or `expiry`.
    pub promise: &'static str,
    /// What it promises: the longest that a revoked login is accepted, in milliseconds.
    pub bound_ms: u64,
    /// How many logins were revoked.
    pub trials: usize,
    /// Time between two questions to one node, in microseconds.
    pub probe_every_us: u64,
    /// Life of a token in this experiment, where only expiry ends a login. In milliseconds.
    pub shortened_life_ms: Option<u64>,
    /// How many questions were asked after the revoke was answered.
    pub probes_after_response: ByNode<u64>,
    /// How many of them were accepted.
    pub accepted_after_response: ByNode<u64>,
    /// How many got neither yes nor no.
    pub unavailable: ByNode<u64>,
    /// How many questions were due and were not asked, because 256 others waited for their answers.
    pub skipped: ByNode<u64>,
    /// When the last accepted one was asked, after the answer to the revoke.
    pub last_accept_after_response_ms: ByNode<StalenessPercentiles>,
    /// When the first one was asked that was refused and after which none was accepted, after the answer to the revoke.
    pub refused_from_ms: ByNode<RefusalPercentiles>,
    /// In how many trials the last answer was a yes: the login was good for longer than was asked for it.
    pub still_accepted: ByNode<u64>,
    /// Whether the worst is within what was promised, and no login was still accepted when the asking ended.
    pub within_bound: bool,
}

impl RevocationResult {
    /// What the frontier draws: the other node's staleness.
    #[allow(clippy::cast_precision_loss)] // milliseconds of a token's life
    pub fn staleness(&self) -> Staleness {
        let StalenessPercentiles { p50, max, .. } = self.last_accept_after_response_ms.other_node;
        let shortened_life = self.shortened_life_ms.map(|life| life as f64);
        let at_least = self.still_accepted.other_node > 0;
        Staleness { p50, worst: max, bound: self.bound_ms as f64, shortened_life, at_least }
    }
}

/// A figure for each node.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ByNode<T> {
    /// The node that revoked.
    pub same_node: T,
    /// The other one.
    pub other_node: T,
}

/// Milliseconds over all trials. Zero: nothing was accepted.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct StalenessPercentiles {
    /// Half of the trials are below.
    pub p50: f64,
    /// 99 % of the trials are below.
    pub p99: f64,
    /// The worst.
    pub max: f64,
}

/// Milliseconds over all trials. A trial without a refusal counts as later than all others; `None`: that is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct RefusalPercentiles {
    /// Half of the trials are below.
    pub p50: Option<f64>,
    /// 99 % of the trials are below.
    pub p99: Option<f64>,
    /// The worst.
    pub max: Option<f64>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A store failed outside of the questions.
    #[error("{strategy}: {source}")]
    Failed {
        /// Which strategy.
        strategy: &'static str,
        /// What failed.
        source: Failure,
    },
    /// A question ended in a panic: what was measured is not complete.
    #[error("{0}: a question ended in a panic")]
    Panicked(&'static str),
    /// A login that was just opened was refused: there is nothing to measure.
    #[error("{0}: a login that was just opened was not accepted")]
    NeverAccepted(&'static str),
    /// A good login was refused: the time of that is not what was to be measured.
    #[error("{0}: a login that is open was refused, so nothing was measured")]
    WronglyRefused(&'static str),
    /// A login that was ended was accepted where it must not be.
    #[error("{0}: a login was accepted after it was ended")]
    StillAccepted(&'static str),
    /// Neither yes nor no after the revoke: that nothing was accepted proves nothing.
    #[error("{0}: after the revoke no question was answered, so nothing was measured")]
    Unanswered(&'static str),
    /// A bare call to a store, beside which the strategies are held, went wrong.
    #[error("a bare call to a store did not answer what was put there")]
    Floor,
    /// Somebody ended the experiment.
    #[error("the experiment was stopped; every login of it is ended")]
    Stopped,
}

/// Measures one strategy.
pub async fn measure(pair: &NodePair, subject: &Subject, trials: usize) -> Result<RevocationResult, LabError> {
    let description = pair.same.describe();
    let (promise, bound_ms) = match description.promise {
        Promise::Immediate => ("immediate", 0),
        Promise::Push { bound_ms } => ("push", bound_ms),
        Promise::Expiry { bound_ms } => ("expiry", bound_ms),
    };
    let expires = promise == "expiry";
    let trials = if expires { trials.min(EXPIRY_TRIALS) } else { trials };
    let pace = if expires { SLOW } else { pace(pair, subject).await? };
    let schedule = ProbeSchedule::new(pace, description.promise, Duration::from_millis(bound_ms));
    let mut nodes = ByNode { same_node: Outcomes::default(), other_node: Outcomes::default() };
    for _ in 0..trials {
        let readings = run_trial(pair, subject, schedule).await?;
        nodes.same_node.add(readings.same_node);
        nodes.other_node.add(readings.other_node);
    }
    let (same, other) = (nodes.same_node, nodes.other_node);
    Ok(RevocationResult {
        strategy: pair.slug(),
        promise,
        bound_ms,
        trials,
        probe_every_us: micros(pace),
        shortened_life_ms: expires.then_some(bound_ms),
        probes_after_response: ByNode { same_node: same.probes, other_node: other.probes },
        accepted_after_response: ByNode { same_node: same.accepted, other_node: other.accepted },
        unavailable: ByNode { same_node: same.unavailable, other_node: other.unavailable },
        skipped: ByNode { same_node: same.skipped, other_node: other.skipped },
        last_accept_after_response_ms: ByNode { same_node: same.spread(), other_node: other.spread() },
        refused_from_ms: ByNode { same_node: same.refusals(), other_node: other.refusals() },
        still_accepted: ByNode { same_node: same.still_accepted, other_node: other.still_accepted },
        within_bound: same.within(bound_ms) && other.within(bound_ms),
    })
}

fn micros(pace: Duration) -> u64 {
    u64::try_from(pace.as_micros()).unwrap_or(u64::MAX)
}
