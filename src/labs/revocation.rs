//! How long does a revoked login go on being accepted, on the node that revoked it and on another one?
//!
//! A trial opens a login on one node and asks both nodes for it at a fixed pace, without waiting for the answer before:
//! a slow answer must not hide the next question. In the middle of it the login is revoked. What counts is the last
//! question that was asked after the revoke was answered and that was still accepted.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::figures::Staleness;
use super::nodes::Pair;
use super::trial::{AFTER, AFTER_EXPIRY, Reading, Schedule, pace, trial};
use crate::auth::{Failure, Promise, Subject};
use crate::units::quantile;

/// The pace where only expiry ends a login.
const SLOW: Duration = Duration::from_millis(1);

/// How many trials of a strategy that waits for expiry: each takes the whole life.
const EXPIRY_TRIALS: usize = 5;

/// What the experiment measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// A row for each strategy.
    pub results: Vec<Measured>,
}

/// The table of the command line. Milliseconds after the answer to the revoke.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "The last accepted question after the answer to the revoke, in milliseconds (0: none was accepted)\n"
        )?;
        let node = format!("{:>9} {:>8} {:>8} {:>8}", "accepted", "p50", "p99", "worst");
        writeln!(f, "{:<16} {:<10} {:>7} {:>6}   {:^36}   {:^36}", "", "", "", "", "same node", "other node")?;
        writeln!(f, "{:<16} {:<10} {:>7} {:>6}   {node}   {node}", "strategy", "promise", "bound", "trials")?;
        for row in &self.results {
            let side = |accepted: u64, spread: &Spread| {
                format!("{accepted:>9} {:>8.3} {:>8.3} {:>8.3}", spread.p50, spread.p99, spread.max)
            };
            let same = side(row.accepted_after_response.same_node, &row.last_accept_after_response_ms.same_node);
            let other = side(row.accepted_after_response.other_node, &row.last_accept_after_response_ms.other_node);
            let kept = if row.within_bound { "" } else { "   NOT WITHIN THE BOUND" };
            let Measured { strategy, promise, bound_ms, trials, .. } = row;
            writeln!(f, "{strategy:<16} {promise:<10} {bound_ms:>7} {trials:>6}   {same}   {other}{kept}")?;
        }
        if let Some(life) = self.results.iter().find_map(|row| row.shortened_life_ms) {
            writeln!(f, "\nWhere only expiry ends a login, tokens lived for {life} ms in this experiment.")?;
        }
        Ok(())
    }
}

/// One strategy.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
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
    pub left_out: ByNode<u64>,
    /// When the last accepted one was asked, after the answer to the revoke.
    pub last_accept_after_response_ms: ByNode<Spread>,
    /// Whether the worst is within what was promised.
    pub within_bound: bool,
}

impl Measured {
    /// What the frontier draws: the other node's staleness.
    #[allow(clippy::cast_precision_loss)] // milliseconds of a token's life
    pub fn staleness(&self) -> Staleness {
        let Spread { p50, max, .. } = self.last_accept_after_response_ms.other_node;
        let shortened_life = self.shortened_life_ms.map(|life| life as f64);
        Staleness { p50, worst: max, bound: self.bound_ms as f64, shortened_life }
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
pub struct Spread {
    /// Half of the trials are below.
    pub p50: f64,
    /// 99 % of the trials are below.
    pub p99: f64,
    /// The worst.
    pub max: f64,
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
pub async fn measure(pair: &Pair, subject: &Subject, trials: usize) -> Result<Measured, LabError> {
    let description = pair.same.describe();
    let (promise, bound_ms) = match description.promise {
        Promise::Immediate => ("immediate", 0),
        Promise::Push { bound_ms } => ("push", bound_ms),
        Promise::Expiry { bound_ms } => ("expiry", bound_ms),
    };
    let expires = promise == "expiry";
    let trials = if expires { trials.min(EXPIRY_TRIALS) } else { trials };
    let after = if expires { Duration::from_millis(bound_ms) + AFTER_EXPIRY } else { AFTER };
    let pace = if expires { SLOW } else { pace(pair, subject).await? };
    let mut nodes = ByNode { same_node: Outcomes::default(), other_node: Outcomes::default() };
    for _ in 0..trials {
        let readings = trial(pair, subject, Schedule { pace, after }).await?;
        nodes.same_node.add(readings.same_node);
        nodes.other_node.add(readings.other_node);
    }
    let (same, other) = (nodes.same_node, nodes.other_node);
    let spreads = ByNode { same_node: same.spread(), other_node: other.spread() };
    #[allow(clippy::cast_precision_loss)] // bounds are far below 2^52 ms
    let within = |spread: &Spread| spread.max <= bound_ms as f64;
    Ok(Measured {
        strategy: pair.slug(),
        promise,
        bound_ms,
        trials,
        probe_every_us: micros(pace),
        shortened_life_ms: expires.then_some(bound_ms),
        probes_after_response: ByNode { same_node: same.asked, other_node: other.asked },
        accepted_after_response: ByNode { same_node: same.accepted, other_node: other.accepted },
        unavailable: ByNode { same_node: same.unavailable, other_node: other.unavailable },
        left_out: ByNode { same_node: same.left_out, other_node: other.left_out },
        last_accept_after_response_ms: spreads,
        within_bound: within(&spreads.same_node) && within(&spreads.other_node),
    })
}

/// All trials of one node.
#[derive(Default)]
struct Outcomes {
    asked: u64,
    accepted: u64,
    unavailable: u64,
    left_out: u64,
    /// For each trial, in milliseconds.
    last: Vec<f64>,
}

impl Outcomes {
    fn add(&mut self, reading: Reading) {
        self.asked += reading.asked;
        self.accepted += reading.accepted;
        self.unavailable += reading.unavailable;
        self.left_out += reading.left_out;
        self.last.push(reading.last_accept_ms);
    }

    fn spread(&self) -> Spread {
        let mut sorted = self.last.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |percent| quantile(&sorted, percent).unwrap_or_default();
        Spread { p50: at(50), p99: at(99), max: sorted.last().copied().unwrap_or_default() }
    }
}

fn micros(pace: Duration) -> u64 {
    u64::try_from(pace.as_micros()).unwrap_or(u64::MAX)
}
