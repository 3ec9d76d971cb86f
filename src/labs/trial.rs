//! One revoke, watched: both nodes are asked at a fixed pace before it and after, without waiting for the answer before.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use tokio::task::{JoinError, JoinHandle};

use super::asking::{Asked, Asking};
use super::nodes::{Pair, lab_device};
use super::reading::Reading;
use super::revocation::{ByNode, LabError};
use crate::auth::{Grant, Identity, Presented, Promise, Reach, Subject};
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
pub(super) struct Schedule {
    /// Time between two questions to one node.
    pub pace: Duration,
    /// So long in any case.
    after: Duration,
    /// And so long where a node has not refused yet: what comes late must be seen to come.
    at_most: Duration,
}

impl Schedule {
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
pub(super) struct Probing {
    pair: Pair,
    /// When the revoke was answered.
    answered: Arc<OnceLock<Instant>>,
    task: JoinHandle<Result<ByNode<Asked>, JoinError>>,
}

impl Probing {
    pub fn start(pair: &Pair, presented: Arc<Presented>, schedule: Schedule) -> Self {
        let answered = Arc::default();
        let task = tokio::spawn(probe_both(pair.clone(), presented, schedule, Arc::clone(&answered)));
        Self { pair: pair.clone(), answered, task }
    }

    /// Revokes the login, and says when that was answered.
    pub async fn revoke(&self, who: &Identity) -> Result<Instant, LabError> {
        tokio::time::sleep(BEFORE).await;
        let revoked = self.pair.same.revoke(who, Reach::This, &Trace::off()).await;
        let answered = *self.answered.get_or_init(Instant::now);
        if revoked.is_err() {
            // Nothing is measured, and what goes on being accepted would be asked for until the bound.
            self.task.abort();
        }
        revoked.map(|_| answered).map_err(|source| LabError::Failed { strategy: self.pair.slug(), source })
    }

    /// When the schedule is over.
    pub async fn readings(self, answered: Instant) -> Result<ByNode<Reading>, LabError> {
        let asked = self.task.await.and_then(|asked| asked).map_err(|_| LabError::Panicked(self.pair.slug()))?;
        let ByNode { same_node, other_node } = &asked;
        Ok(ByNode { same_node: Reading::of(same_node, answered), other_node: Reading::of(other_node, answered) })
    }
}

/// Opens a login, asks both nodes for it, revokes it in the middle.
pub(super) async fn trial(pair: &Pair, subject: &Subject, schedule: Schedule) -> Result<ByNode<Reading>, LabError> {
    let failed = |source| LabError::Failed { strategy: pair.slug(), source };
    let grant = pair.same.issue(subject, &lab_device(), &Trace::off()).await.map_err(failed)?;
    let presented = Arc::new(presented(&grant));
    warm(pair, &presented).await?;
    let probing = Probing::start(pair, presented, schedule);
    let answered = probing.revoke(&grant.identity).await?;
    let readings = probing.readings(answered).await?;
    if readings.same_node.says_nothing() || readings.other_node.says_nothing() {
        return Err(LabError::Unanswered(pair.slug()));
    }
    Ok(readings)
}

/// The credentials of a login, as a browser would send them.
pub(super) fn presented(grant: &Grant) -> Presented {
    let renewal = grant.renewal.as_ref().map(|renewal| renewal.credential.expose_secret().to_owned());
    Presented::new(Some(grant.credential.expose_secret().to_owned())).with_renewal(renewal)
}

/// Until both nodes know the login as well as they will: caches filled, channels awake.
pub(super) async fn warm(pair: &Pair, presented: &Presented) -> Result<(), LabError> {
    let mut accepted = false;
    for _ in 0..20 {
        accepted |= matches!(pair.same.identify(presented, &Trace::off()).await, Ok(Some(_)));
        let _ = pair.other.identify(presented, &Trace::off()).await;
    }
    if accepted { Ok(()) } else { Err(LabError::NeverAccepted(pair.slug())) }
}

/// As fast as the strategy answers with room to spare: a queue in front of a store would be measured instead of it.
pub(super) async fn pace(pair: &Pair, subject: &Subject) -> Result<Duration, LabError> {
    let failed = |source| LabError::Failed { strategy: pair.slug(), source };
    let grant = pair.same.issue(subject, &lab_device(), &Trace::off()).await.map_err(failed)?;
    let presented = presented(&grant);
    warm(pair, &presented).await?;
    let pace = pace_of(pair, &presented).await?;
    pair.same.revoke(&grant.identity, Reach::This, &Trace::off()).await.map_err(failed)?;
    Ok(pace)
}

/// The same for a login that is open.
pub(super) async fn pace_of(pair: &Pair, presented: &Presented) -> Result<Duration, LabError> {
    let mut took = Vec::new();
    for _ in 0..50 {
        let begun = Instant::now();
        let answer = pair.same.identify(presented, &Trace::off()).await;
        answer.map_err(|source| LabError::Failed { strategy: pair.slug(), source })?;
        took.push(begun.elapsed());
    }
    took.sort();
    Ok((took[took.len() / 2] * 4).max(FASTEST))
}

/// Asks both nodes at every tick. Ticks that were missed are not made good: all of their questions would be asked now.
async fn probe_both(
    pair: Pair,
    presented: Arc<Presented>,
    schedule: Schedule,
    answered: Arc<OnceLock<Instant>>,
) -> Result<ByNode<Asked>, JoinError> {
    let (mut same, mut other) = (Asking::new(&pair.same, &presented), Asking::new(&pair.other, &presented));
    let begun = Instant::now();
    let mut next = begun;
    loop {
        wait_until(next).await;
        same.ask()?;
        other.ask()?;
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
    Ok(ByNode { same_node: same.over().await?, other_node: other.over().await? })
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
