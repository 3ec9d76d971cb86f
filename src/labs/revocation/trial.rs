//! One trial: a login, a prober for each node, and the revoke between their probes.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinHandle};

use super::observation::Observation;
use super::prober::{Prober, Probes};
use super::report::ByNode;
use crate::auth::{Credentials, Identity, Promise, RevokeScope};
use crate::identity::Subject;
use crate::labs::lab_error::LabError;
use crate::labs::nodes::{NodePair, lab_device};
use crate::store::latency::wait_until;
use crate::trace::Trace;

/// How long the nodes are probed after the answer to the revoke, if they refuse the login.
const AFTER: Duration = Duration::from_millis(25);

/// How long the nodes are probed beyond the promise: beyond the answer, the bound of a push, or expiry.
const MARGIN: Duration = Duration::from_millis(100);

/// How long the nodes are probed before the revoke.
const BEFORE: Duration = Duration::from_millis(5);

/// The fastest pace.
const FASTEST: Duration = Duration::from_micros(50);

/// The longest wait for the answer to the revoke.
const REVOKE_LIMIT: Duration = Duration::from_secs(3);

/// How often a node is probed, and how long after the answer to the revoke.
#[derive(Clone, Copy)]
pub(super) struct ProbeSchedule {
    /// Time between two probes of one node.
    pub pace: Duration,
    /// How long in any case.
    after: Duration,
    /// How long while a node has not refused yet: a late refusal must be seen.
    at_most: Duration,
}

impl ProbeSchedule {
    /// `left` is the time until the login expires.
    pub fn new(pace: Duration, promise: Promise, left: Duration) -> Self {
        let (after, at_most) = match promise {
            Promise::Immediate => (AFTER, MARGIN),
            Promise::Push { bound_ms } => (AFTER, Duration::from_millis(bound_ms) + MARGIN),
            Promise::Expiry { .. } => (left + MARGIN, left + MARGIN),
        };
        Self { pace, after, at_most }
    }

    /// Whether the probes that were just sent, `late` after the answer to the revoke, were the last. `open`: a node has
    /// not refused yet. Decided after the probes are sent: the schedule ends with a probe, however late that is.
    fn is_over(&self, late: Duration, open: bool) -> bool {
        late >= if open { self.at_most } else { self.after }
    }
}

/// Both nodes are being probed with a login that is about to be revoked.
pub(super) struct RunningTrial {
    pair: NodePair,
    /// When the revoke was answered.
    answered: Arc<OnceLock<Instant>>,
    task: JoinHandle<Result<ByNode<Probes>, JoinError>>,
}

impl RunningTrial {
    pub fn start(pair: &NodePair, credentials: Arc<Credentials>, schedule: ProbeSchedule) -> Self {
        let answered = Arc::default();
        let task = tokio::spawn(probe_both(pair.clone(), credentials, schedule, Arc::clone(&answered)));
        Self { pair: pair.clone(), answered, task }
    }

    /// Waits while the nodes are probed before the revoke.
    pub async fn before(&self) {
        tokio::time::sleep(BEFORE).await;
    }

    /// Revokes the login, and returns when that was answered.
    pub async fn revoke(&self, who: &Identity) -> Result<Instant, LabError> {
        let revoked = self.pair.same.revoke(who, RevokeScope::This, &Trace::off()).await;
        let answered = *self.answered.get_or_init(Instant::now);
        if revoked.is_err() {
            // Nothing is measured, and the probes would go on until the bound.
            self.task.abort();
        }
        revoked.map(|_| answered).map_err(|source| LabError::Failed { strategy: self.pair.slug(), source })
    }

    /// Waits for the end of the schedule.
    pub async fn observations(self, answered: Instant) -> Result<ByNode<Observation>, LabError> {
        let sent = self.task.await.flatten().map_err(|_| LabError::Panicked(self.pair.slug()))?;
        let ByNode { same_node, other_node } = &sent;
        Ok(ByNode {
            same_node: Observation::of(same_node, answered),
            other_node: Observation::of(other_node, answered),
        })
    }
}

/// Opens a login, probes both nodes, and revokes the login in the middle.
pub(super) async fn run_trial(
    pair: &NodePair,
    subject: &Subject,
    schedule: ProbeSchedule,
) -> Result<ByNode<Observation>, LabError> {
    let failed = |source| LabError::Failed { strategy: pair.slug(), source };
    let grant = pair.same.issue(subject, &lab_device(), &Trace::off()).await.map_err(failed)?;
    let credentials = Arc::new(grant.credentials());
    warm(pair, &credentials).await?;
    let probing = RunningTrial::start(pair, credentials, schedule);
    probing.before().await;
    let answered = probing.revoke(&grant.identity).await?;
    let observed = probing.observations(answered).await?;
    if observed.same_node.is_silent() || observed.other_node.is_silent() {
        return Err(LabError::Unanswered(pair.slug()));
    }
    Ok(observed)
}

/// Checks the login on both nodes until their caches are filled and their channels are awake.
async fn warm(pair: &NodePair, credentials: &Credentials) -> Result<(), LabError> {
    let mut accepted = false;
    for _ in 0..20 {
        accepted |= matches!(pair.same.identify(credentials, &Trace::off()).await, Ok(Some(_)));
        let _ = pair.other.identify(credentials, &Trace::off()).await;
    }
    if accepted { Ok(()) } else { Err(LabError::NeverAccepted(pair.slug())) }
}

/// The time between two probes: four times what a check takes, so that no queue grows in front of a store.
pub(super) async fn pace(pair: &NodePair, subject: &Subject) -> Result<Duration, LabError> {
    let failed = |source| LabError::Failed { strategy: pair.slug(), source };
    let grant = pair.same.issue(subject, &lab_device(), &Trace::off()).await.map_err(failed)?;
    let credentials = grant.credentials();
    warm(pair, &credentials).await?;
    let pace = pace_of(pair, &credentials).await?;
    pair.same.revoke(&grant.identity, RevokeScope::This, &Trace::off()).await.map_err(failed)?;
    Ok(pace)
}

/// The same, for a login that is open.
pub(super) async fn pace_of(pair: &NodePair, credentials: &Credentials) -> Result<Duration, LabError> {
    let mut took = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        let answer = pair.same.identify(credentials, &Trace::off()).await;
        answer.map_err(|source| LabError::Failed { strategy: pair.slug(), source })?;
        took.push(begun.elapsed());
    }
    took.sort();
    Ok((took[took.len() / 2] * 4).max(FASTEST))
}

/// Probes both nodes at every tick. Skips missed ticks: it would send their probes all at once.
async fn probe_both(
    pair: NodePair,
    credentials: Arc<Credentials>,
    schedule: ProbeSchedule,
    answered: Arc<OnceLock<Instant>>,
) -> Result<ByNode<Probes>, JoinError> {
    let (mut same, mut other) = (Prober::new(&pair.same, &credentials), Prober::new(&pair.other, &credentials));
    let begun = Instant::now();
    let mut next = begun;
    loop {
        // Also lets the runtime answer a probe.
        wait_until(next).await;
        same.probe()?;
        other.probe()?;
        let now = Instant::now();
        // The time between the revoke and its answer is probed too.
        let over = match answered.get().copied() {
            None => now >= begun + REVOKE_LIMIT,
            Some(answered) => schedule.is_over(now - answered, same.is_open(answered) || other.is_open(answered)),
        };
        if over {
            break;
        }
        next = (next + schedule.pace).max(now);
    }
    Ok(ByNode { same_node: same.finish().await?, other_node: other.finish().await? })
}
