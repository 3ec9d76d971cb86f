//! One revoke, watched: both nodes are asked at a fixed pace before it and after, without waiting for the answer before.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use serde::Serialize;
use tokio::task::{JoinError, JoinHandle};

use super::asking::{Asked, Asking};
use super::nodes::{Pair, lab_device};
use super::revocation::{ByNode, LabError};
use crate::auth::{Grant, Identity, Presented, Reach, Subject};
use crate::trace::Trace;

/// How long after the revoke, where it takes effect at once.
pub(super) const AFTER: Duration = Duration::from_millis(25);

/// How long after the login has expired, where only that ends it.
pub(super) const AFTER_EXPIRY: Duration = Duration::from_millis(100);

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
    pub pace: Duration,
    pub after: Duration,
}

/// What one node answered after the revoke was answered.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Reading {
    /// How many questions were asked.
    pub asked: u64,
    /// How many of them were accepted.
    pub accepted: u64,
    /// How many got neither yes nor no.
    pub unavailable: u64,
    /// How often a question was due and was not asked, because too many others waited for their answers.
    pub left_out: u64,
    /// When the last accepted one was asked, in milliseconds. Zero: none was accepted.
    pub last_accept_ms: f64,
}

impl Reading {
    /// Whether no question got a yes or a no: that nothing was accepted proves nothing.
    pub fn says_nothing(&self) -> bool {
        self.asked == self.unavailable
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
        revoked.map(|_| answered).map_err(|source| LabError::Failed { strategy: self.pair.slug(), source })
    }

    /// When the schedule is over.
    pub async fn readings(self, answered: Instant) -> Result<ByNode<Reading>, LabError> {
        let asked = self.task.await.and_then(|asked| asked).map_err(|_| LabError::Panicked(self.pair.slug()))?;
        Ok(ByNode { same_node: read(&asked.same_node, answered), other_node: read(&asked.other_node, answered) })
    }
}

fn read(asked: &Asked, answered: Instant) -> Reading {
    let left_out = asked.left_out.iter().filter(|due| **due > answered).count() as u64;
    let mut reading = Reading { left_out, ..Reading::default() };
    for probe in asked.probes.iter().filter(|probe| probe.asked > answered) {
        reading.asked += 1;
        match probe.accepted {
            Some(true) => {
                reading.accepted += 1;
                let late = (probe.asked - answered).as_secs_f64() * 1e3;
                reading.last_accept_ms = reading.last_accept_ms.max(late);
            }
            Some(false) => {}
            None => reading.unavailable += 1,
        }
    }
    reading
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

/// Asks both nodes at every tick. The pace is kept by watching the clock: a timer of the runtime is a thousand times too
/// coarse. Ticks that were missed are not made good: all of their questions would be asked now.
async fn probe_both(
    pair: Pair,
    presented: Arc<Presented>,
    schedule: Schedule,
    answered: Arc<OnceLock<Instant>>,
) -> Result<ByNode<Asked>, JoinError> {
    let (mut same, mut other) = (Asking::new(&pair.same, &presented), Asking::new(&pair.other, &presented));
    let begun = Instant::now();
    // The revoke is answered some time after it is asked for; that time is probed too.
    let end = || answered.get().copied().unwrap_or(begun + LONGEST) + schedule.after;
    let mut next = begun;
    while next < end() {
        if let Some(long) = next.saturating_duration_since(Instant::now()).checked_sub(COARSE) {
            tokio::time::sleep(long).await;
        }
        // Once at least: what was asked needs a turn to be answered.
        tokio::task::yield_now().await;
        while Instant::now() < next {
            tokio::task::yield_now().await;
        }
        same.ask()?;
        other.ask()?;
        next = (next + schedule.pace).max(Instant::now());
    }
    Ok(ByNode { same_node: same.over().await?, other_node: other.over().await? })
}
