//! One login of a run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{CheckOutcome, LIFE, LiveRun, LoginState};
use crate::auth::{Credentials, Grant, Identity, Promise, RevokeScope};
use crate::clock::Clock;
use crate::identity::Subject;
use crate::labs::nodes::{NodePair, lab_device};
use crate::labs::revocation::trial::{ProbeSchedule, RunningTrial, pace_of};
use crate::labs::revocation::{ByNode, LabError};
use crate::trace::Trace;

/// How long the picture waits for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pace of the measurement where only expiry ends a login.
const SLOW: Duration = Duration::from_millis(5);

/// A login under one strategy.
pub(super) struct LiveLogin {
    number: usize,
    pair: NodePair,
    subject: Subject,
    clock: Clock,
    /// `None`: it could not be opened.
    login: Mutex<Option<OpenedLogin>>,
}

#[derive(Clone)]
struct OpenedLogin {
    identity: Identity,
    credentials: Arc<Credentials>,
    before: ByNode<CheckOutcome>,
}

impl OpenedLogin {
    fn new(grant: Grant, before: ByNode<CheckOutcome>) -> Self {
        Self { credentials: Arc::new(grant.credentials()), identity: grant.identity, before }
    }
}

impl LiveLogin {
    pub fn new(number: usize, pair: NodePair, subject: Subject, clock: Clock) -> Self {
        Self { number, pair, subject, clock, login: Mutex::default() }
    }

    /// Opens the login and asks both nodes once.
    pub async fn open(&self, run: &LiveRun) {
        let opened = timeout(PATIENCE, self.pair.same.issue(&self.subject, &lab_device(), &Trace::off())).await;
        let Ok(Ok(grant)) = opened else { return run.turn(self.number, LoginState::NotOpened) };
        let mut login = OpenedLogin::new(grant, ByNode::default());
        login.before = both(&self.pair, &login.credentials).await;
        run.turn(self.number, LoginState::Open(login.before));
        *self.login.lock().await = Some(login);
    }

    /// What both nodes say now.
    pub async fn ask(&self) -> ByNode<CheckOutcome> {
        match self.login().await {
            Some(login) => both(&self.pair, &login.credentials).await,
            None => ByNode::default(),
        }
    }

    /// Where only expiry ends the login: exchanges it for a fresh one when half of its life is over, unless it is being
    /// revoked. Without that there would be nothing left to revoke.
    pub async fn freshen(&self, run: &LiveRun) {
        if !self.expires() {
            return;
        }
        let mut login = self.login.lock().await;
        let Some(old) = login.as_mut() else { return };
        if *run.revoked.borrow() || old.identity.expires_at.since(self.clock.now()) > LIFE / 2 {
            return;
        }
        let renewed = self.pair.same.renew(&old.credentials, &Trace::off()).await.ok().flatten();
        let grant = match renewed {
            Some(grant) => Some(grant),
            None => self.pair.same.issue(&self.subject, &lab_device(), &Trace::off()).await.ok(),
        };
        if let Some(grant) = grant {
            *old = OpenedLogin::new(grant, old.before);
        }
    }

    /// Revokes the login and measures; where only expiry ends it, the rest of that is to be awaited elsewhere.
    pub async fn revoke(&self, run: &LiveRun) -> Option<PendingObservation> {
        let login = self.login().await?;
        match self.begin(run, &login).await {
            Ok(rest) => Some(rest),
            Err(_) => {
                run.turn(self.number, LoginState::Unknown);
                None
            }
        }
    }

    async fn begin(&self, run: &LiveRun, login: &OpenedLogin) -> Result<PendingObservation, LabError> {
        let left = login.identity.expires_at.since(self.clock.now());
        let pace = if self.expires() {
            SLOW
        } else {
            // A store that does not answer is no reason not to try.
            pace_of(&self.pair, &login.credentials).await.unwrap_or(SLOW)
        };
        let schedule = ProbeSchedule::new(pace, self.pair.same.describe().promise, left);
        let probing = RunningTrial::start(&self.pair, login.credentials.clone(), schedule);
        let answered = probing.revoke(&login.identity).await?;
        let left = u64::try_from(login.identity.expires_at.since(self.clock.now()).as_millis()).unwrap_or(u64::MAX);
        let ends_at_ms = self.expires().then(|| run.now_ms().saturating_add(left));
        run.turn(self.number, LoginState::Revoked { ends_at_ms });
        Ok(PendingObservation { lane: self.number, later: self.expires(), before: login.before, probing, answered })
    }

    /// When nobody watches any more: no login of an experiment stays open. An error leaves it to its own end.
    pub async fn close(&self) {
        if let Some(login) = self.login().await {
            let trace = Trace::off();
            let revoke = self.pair.same.revoke(&login.identity, RevokeScope::This, &trace);
            let _ = timeout(PATIENCE, revoke).await;
        }
    }

    /// Whether only expiry ends the login.
    pub fn expires(&self) -> bool {
        matches!(self.pair.same.describe().promise, Promise::Expiry { .. })
    }

    async fn login(&self) -> Option<OpenedLogin> {
        self.login.lock().await.clone()
    }
}

/// The measurement after a revoke.
pub(super) struct PendingObservation {
    lane: usize,
    /// Whether it takes long.
    pub later: bool,
    before: ByNode<CheckOutcome>,
    probing: RunningTrial,
    answered: Instant,
}

impl PendingObservation {
    pub async fn settle(self, run: &LiveRun) {
        let state = match self.probing.observations(self.answered).await {
            Ok(readings) => LoginState::Settled { before: self.before, readings },
            Err(_) => LoginState::Unknown,
        };
        run.turn(self.lane, state);
    }
}

async fn both(pair: &NodePair, credentials: &Credentials) -> ByNode<CheckOutcome> {
    let trace = Trace::off();
    let (same, other) = tokio::join!(
        timeout(PATIENCE, pair.same.identify(credentials, &trace)),
        timeout(PATIENCE, pair.other.identify(credentials, &trace)),
    );
    let answer = |said| match said {
        Ok(Ok(Some(_))) => CheckOutcome::Accepted,
        Ok(Ok(None)) => CheckOutcome::Refused,
        _ => CheckOutcome::Unavailable,
    };
    ByNode { same_node: answer(same), other_node: answer(other) }
}
