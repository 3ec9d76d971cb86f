//! How long does a revoked login go on being accepted, on the node that revoked it and on another one?
//!
//! A trial opens a login on one node and asks both nodes for it at a fixed pace, without waiting for the answer before:
//! a slow answer must not hide the next question. In the middle of it the login is revoked. What counts is the last
//! question that was asked after the revoke was answered and that was still accepted.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use serde::Serialize;
use tokio::task::JoinSet;

use super::nodes::{Pair, lab_device};
use crate::auth::{AuthStrategy, Failure, Grant, Presented, Promise, Reach, Subject};
use crate::trace::Trace;

/// How long both nodes are asked before the revoke.
const BEFORE: Duration = Duration::from_millis(5);

/// How long after it, where it takes effect at once.
const AFTER: Duration = Duration::from_millis(25);

/// How long after the login has expired, where only that ends it.
const AFTER_EXPIRY: Duration = Duration::from_millis(100);

/// The fastest pace.
const FASTEST: Duration = Duration::from_micros(50);

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
    /// When the last accepted one was asked, after the answer to the revoke.
    pub last_accept_after_response_ms: ByNode<Spread>,
    /// Whether the worst is within what was promised.
    pub within_bound: bool,
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
        let (same, other) = trial(pair, subject, pace, after).await?;
        nodes.same_node.add(&same);
        nodes.other_node.add(&other);
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
        last_accept_after_response_ms: spreads,
        within_bound: within(&spreads.same_node) && within(&spreads.other_node),
    })
}

/// One question: when it was asked, and what came back.
#[derive(Clone, Copy)]
struct Probe {
    asked: Instant,
    /// `None`: neither yes nor no.
    accepted: Option<bool>,
}

/// All trials of one node.
#[derive(Default)]
struct Outcomes {
    asked: u64,
    accepted: u64,
    unavailable: u64,
    /// For each trial, in milliseconds.
    last: Vec<f64>,
}

/// One trial of one node, from the answer to the revoke on.
struct Trial {
    probes: Vec<Probe>,
    answered: Instant,
}

impl Outcomes {
    fn add(&mut self, trial: &Trial) {
        let after = trial.probes.iter().filter(|probe| probe.asked > trial.answered);
        let mut last = Duration::ZERO;
        for probe in after {
            self.asked += 1;
            match probe.accepted {
                Some(true) => {
                    self.accepted += 1;
                    last = last.max(probe.asked - trial.answered);
                }
                Some(false) => {}
                None => self.unavailable += 1,
            }
        }
        self.last.push(last.as_secs_f64() * 1e3);
    }

    fn spread(&self) -> Spread {
        let mut sorted = self.last.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Spread {
            p50: at(50).unwrap_or_default(),
            p99: at(99).unwrap_or_default(),
            max: sorted.last().copied().unwrap_or_default(),
        }
    }
}

/// Opens a login, asks both nodes for it, revokes it in the middle.
async fn trial(pair: &Pair, subject: &Subject, pace: Duration, after: Duration) -> Result<(Trial, Trial), LabError> {
    let failed = |source| LabError::Failed { strategy: pair.slug(), source };
    let trace = Trace::off();
    let grant = pair.same.issue(subject, &lab_device(), &trace).await.map_err(failed)?;
    let presented = Arc::new(presented(&grant));
    warm(pair, &presented).await?;
    let probing = tokio::spawn(probe_both(pair.clone(), presented, pace, BEFORE, after));
    let revoke = async {
        tokio::time::sleep(BEFORE).await;
        let revoked = pair.same.revoke(&grant.identity, Reach::This, &trace).await;
        revoked.map(|_| Instant::now())
    };
    let answered = revoke.await.map_err(failed)?;
    let (same, other) = probing.await.map_err(|_| LabError::Panicked(pair.slug()))?;
    Ok((Trial { probes: same, answered }, Trial { probes: other, answered }))
}

fn presented(grant: &Grant) -> Presented {
    Presented::new(Some(grant.credential.expose_secret().to_owned()))
}

/// Until both nodes know the login as well as they will: caches filled, channels awake.
async fn warm(pair: &Pair, presented: &Presented) -> Result<(), LabError> {
    let mut accepted = false;
    for _ in 0..20 {
        accepted |= matches!(pair.same.identify(presented, &Trace::off()).await, Ok(Some(_)));
        let _ = pair.other.identify(presented, &Trace::off()).await;
    }
    if accepted { Ok(()) } else { Err(LabError::NeverAccepted(pair.slug())) }
}

/// Asks both nodes at every tick. The pace is kept by watching the clock: a timer of the runtime is a thousand times too
/// coarse.
async fn probe_both(
    pair: Pair,
    presented: Arc<Presented>,
    pace: Duration,
    before: Duration,
    after: Duration,
) -> (Vec<Probe>, Vec<Probe>) {
    let (mut same, mut other) = (JoinSet::new(), JoinSet::new());
    let begun = Instant::now();
    // The revoke is answered some time after it is asked for; that time is probed too.
    let end = begun + before + after + Duration::from_millis(5);
    let mut next = begun;
    while next < end {
        while Instant::now() < next {
            tokio::task::yield_now().await;
        }
        same.spawn(ask(pair.same.clone(), presented.clone()));
        other.spawn(ask(pair.other.clone(), presented.clone()));
        next += pace;
    }
    (same.join_all().await, other.join_all().await)
}

async fn ask(node: Arc<dyn AuthStrategy>, presented: Arc<Presented>) -> Probe {
    let asked = Instant::now();
    let answer = node.identify(&presented, &Trace::off()).await;
    Probe { asked, accepted: answer.ok().map(|identity| identity.is_some()) }
}

/// As fast as the strategy answers with room to spare: a queue in front of a store would be measured instead of it.
async fn pace(pair: &Pair, subject: &Subject) -> Result<Duration, LabError> {
    let failed = |source| LabError::Failed { strategy: pair.slug(), source };
    let grant = pair.same.issue(subject, &lab_device(), &Trace::off()).await.map_err(failed)?;
    let presented = presented(&grant);
    warm(pair, &presented).await?;
    let mut took = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        pair.same.identify(&presented, &Trace::off()).await.map_err(failed)?;
        took.push(begun.elapsed());
    }
    took.sort();
    pair.same.revoke(&grant.identity, Reach::This, &Trace::off()).await.map_err(failed)?;
    Ok((took[took.len() / 2] * 4).max(FASTEST))
}

fn micros(pace: Duration) -> u64 {
    u64::try_from(pace.as_micros()).unwrap_or(u64::MAX)
}
