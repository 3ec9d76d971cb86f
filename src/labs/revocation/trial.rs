//! One revoke, watched: both nodes are asked at a fixed pace before it and after, without waiting for the answer before.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinHandle};

use super::observation::Observation;
use super::prober::{Prober, Probes};
use super::{ByNode, LabError};
use crate::auth::{Credentials, Identity, Promise, RevokeScope};
use crate::identity::Subject;
use crate::labs::nodes::{NodePair, lab_device};
use crate::trace::Trace;

/// How long after the answer to the revoke, where a login is refused at once or nearly so.
const AFTER: Duration = Duration::from_millis(25);

/// How long beyond what is promised: beyond the answer, the bound of a push, or the end of a login that only expiry ends.
const MARGIN: Duration = Duration::from_millis(100);

/// How long both nodes are asked before the revoke.
const BEFORE: Duration = Duration::from_millis(5);

/// The fastest pace.
const FASTEST: Duration = Duration::from_micros(50);

/// A wait that is longer is slept through, all but this much.
const COARSE: Duration = Duration::from_millis(3);

/// The longest that an answer to the revoke is waited for.
const LONGEST: Duration = Duration::from_secs(3);

/// How often, and how long after the answer to the revoke.
#[derive(Clone, Copy)]
pub(super) struct ProbeSchedule {
    /// Time between two questions to one node.
    pub pace: Duration,
    /// So long in any case.
    after: Duration,
    /// And so long where a node has not refused yet: what comes late must be seen to come.
    at_most: Duration,
}

impl ProbeSchedule {
    /// As far as a strategy's promise goes. `left`: how long the login lives by itself.
    pub fn new(pace: Duration, promise: Promise, left: Duration) -> Self {
        let (after, at_most) = match promise {
            Promise::Immediate => (AFTER, MARGIN),
            Promise::Push { bound_ms } => (AFTER, Duration::from_millis(bound_ms) + MARGIN),
            Promise::Expiry { .. } => (left + MARGIN, left + MARGIN),
        };
        Self { pace, after, at_most }
    }

    /// Whether the questions that were just asked, so `late` after the answer to the revoke, were the last. `open`: a
    /// node has not refused yet. Decided after asking: it ends with a question, however long the asking was held up.
    fn is_over(&self, late: Duration, open: bool) -> bool {
        late >= if open { self.at_most } else { self.after }
    }
}

/// Both nodes are being asked for a login that is about to be revoked.
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

    /// Revokes the login, and says when that was answered.
    pub async fn revoke(&self, who: &Identity) -> Result<Instant, LabError> {
        tokio::time::sleep(BEFORE).await;
        let revoked = self.pair.same.revoke(who, RevokeScope::This, &Trace::off()).await;
        let answered = *self.answered.get_or_init(Instant::now);
        if revoked.is_err() {
            // Nothing is measured, and what goes on being accepted would be asked for until the bound.
            self.task.abort();
        }
        revoked.map(|_| answered).map_err(|source| LabError::Failed { strategy: self.pair.slug(), source })
    }

    /// When the schedule is over.
    pub async fn observations(self, answered: Instant) -> Result<ByNode<Observation>, LabError> {
        let asked = self.task.await.and_then(|asked| asked).map_err(|_| LabError::Panicked(self.pair.slug()))?;
        let ByNode { same_node, other_node } = &asked;
        Ok(ByNode {
            same_node: Observation::of(same_node, answered),
            other_node: Observation::of(other_node, answered),
        })
    }
}

/// Opens a login, asks both nodes for it, revokes it in the middle.
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
    let answered = probing.revoke(&grant.identity).await?;
    let readings = probing.observations(answered).await?;
    if readings.same_node.is_silent() || readings.other_node.is_silent() {
        return Err(LabError::Unanswered(pair.slug()));
    }
    Ok(readings)
}

/// Until both nodes know the login as well as they will: caches filled, channels awake.
pub(super) async fn warm(pair: &NodePair, credentials: &Credentials) -> Result<(), LabError> {
    let mut accepted = false;
    for _ in 0..20 {
        accepted |= matches!(pair.same.identify(credentials, &Trace::off()).await, Ok(Some(_)));
        let _ = pair.other.identify(credentials, &Trace::off()).await;
    }
    if accepted { Ok(()) } else { Err(LabError::NeverAccepted(pair.slug())) }
}

/// As fast as the strategy answers with room to spare: a queue in front of a store would be measured instead of it.
pub(super) async fn pace(pair: &NodePair, subject: &Subject) -> Result<Duration, LabError> {
    let failed = |source| LabError::Failed { strategy: pair.slug(), source };
    let grant = pair.same.issue(subject, &lab_device(), &Trace::off()).await.map_err(failed)?;
    let credentials = grant.credentials();
    warm(pair, &credentials).await?;
    let pace = pace_of(pair, &credentials).await?;
    pair.same.revoke(&grant.identity, RevokeScope::This, &Trace::off()).await.map_err(failed)?;
    Ok(pace)
}

/// The same for a login that is open.
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

/// Asks both nodes at every tick. Ticks that were missed are not made good: all of their questions would be asked now.
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
        wait_until(next).await;
        same.probe()?;
        other.probe()?;
        let now = Instant::now();
        // The revoke is answered some time after it is asked for; that time is probed too.
        let over = match answered.get().copied() {
            None => now >= begun + LONGEST,
            Some(answered) => schedule.is_over(now - answered, same.is_open(answered) || other.is_open(answered)),
        };
        if over {
            break;
        }
        next = (next + schedule.pace).max(now);
    }
    Ok(ByNode { same_node: same.finish().await?, other_node: other.finish().await? })
}

/// By watching the clock: a timer of the runtime is a thousand times too coarse for the pace.
async fn wait_until(next: Instant) {
    if let Some(long) = next.saturating_duration_since(Instant::now()).checked_sub(COARSE) {
        tokio::time::sleep(long).await;
    }
    // Once at least: what was asked needs a turn to be answered.
    tokio::task::yield_now().await;
    while Instant::now() < next {
        tokio::task::yield_now().await;
    }
}
