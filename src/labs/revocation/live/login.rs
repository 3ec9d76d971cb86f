//! One login of a run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::run::{CheckOutcome, LIVE_LOGIN_LIFE, LiveRun, LoginState};
use crate::auth::{Credentials, Grant, Identity, RenewOutcome, RevokeScope};
use crate::clock::Clock;
use crate::identity::{ClientOrigin, Subject};
use crate::labs::lab_error::LabError;
use crate::labs::nodes::{NodePair, lab_device};
use crate::labs::revocation::report::ByNode;
use crate::labs::revocation::trial::{ProbeSchedule, RunningTrial, pace_of};
use crate::trace::Trace;

/// The longest wait for the answer to one call.
const CHECK_LIMIT: Duration = Duration::from_secs(1);

/// The pace of the measurement where only expiry ends a login, and where the store does not answer.
const SLOW_PACE: Duration = Duration::from_millis(5);

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

    /// Opens the login and checks it once on both nodes.
    pub async fn open(&self, run: &LiveRun) {
        let opened = timeout(CHECK_LIMIT, self.pair.same.issue(&self.subject, &lab_device(), &Trace::off())).await;
        let Ok(Ok(grant)) = opened else { return run.set_state(self.number, LoginState::NotOpened) };
        let mut login = OpenedLogin::new(grant, ByNode::default());
        login.before = check_both(&self.pair, &login.credentials).await;
        run.set_state(self.number, LoginState::Open(login.before));
        *self.login.lock().await = Some(login);
    }

    /// Checks the login on both nodes.
    pub async fn check(&self) -> ByNode<CheckOutcome> {
        match self.login().await {
            Some(login) => check_both(&self.pair, &login.credentials).await,
            None => ByNode::default(),
        }
    }

    /// Where only expiry ends the login: exchanges it for a new one after half of its life, until the revoke. Otherwise
    /// nothing would be left to revoke.
    pub async fn freshen(&self, run: &LiveRun) {
        if !self.expires() {
            return;
        }
        let mut login = self.login.lock().await;
        let Some(old) = login.as_mut() else { return };
        if run.is_revoked() || old.identity.expires_at.since(self.clock.now()) > LIVE_LOGIN_LIFE / 2 {
            return;
        }
        let renewed = self.pair.same.renew(&old.credentials, &ClientOrigin::default(), &Trace::off()).await;
        let grant = match renewed.ok().and_then(RenewOutcome::grant) {
            Some(grant) => Some(grant),
            None => self.pair.same.issue(&self.subject, &lab_device(), &Trace::off()).await.ok(),
        };
        if let Some(grant) = grant {
            *old = OpenedLogin::new(grant, old.before);
        }
    }

    /// Revokes the login and begins to measure.
    pub async fn revoke(&self, run: &LiveRun) -> Option<PendingObservation> {
        let login = self.login().await?;
        match self.begin(run, &login).await {
            Ok(pending) => Some(pending),
            Err(_) => {
                run.set_state(self.number, LoginState::Unknown);
                None
            }
        }
    }

    async fn begin(&self, run: &LiveRun, login: &OpenedLogin) -> Result<PendingObservation, LabError> {
        let left = login.identity.expires_at.since(self.clock.now());
        let pace = if self.expires() {
            SLOW_PACE
        } else {
            // A store that does not answer must not prevent the revoke.
            pace_of(&self.pair, &login.credentials).await.unwrap_or(SLOW_PACE)
        };
        let schedule = ProbeSchedule::new(pace, self.pair.same.describe().promise, left);
        let probing = RunningTrial::start(&self.pair, login.credentials.clone(), schedule);
        probing.before().await;
        run.set_state(self.number, LoginState::Revoking);
        let answered = probing.revoke(&login.identity).await?;
        run.set_state(self.number, LoginState::Revoked);
        Ok(PendingObservation { number: self.number, later: self.expires(), before: login.before, probing, answered })
    }

    /// Revokes the login if it is still open. After an error it expires.
    pub async fn close(&self) {
        if let Some(login) = self.login().await {
            let trace = Trace::off();
            let revoke = self.pair.same.revoke(&login.identity, RevokeScope::This, &trace);
            let _ = timeout(CHECK_LIMIT, revoke).await;
        }
    }

    /// Whether only expiry ends the login.
    pub fn expires(&self) -> bool {
        self.pair.same.describe().promise.only_expires()
    }

    async fn login(&self) -> Option<OpenedLogin> {
        self.login.lock().await.clone()
    }
}

/// The measurement after a revoke.
pub(super) struct PendingObservation {
    number: usize,
    /// Whether it takes a token's life.
    pub later: bool,
    before: ByNode<CheckOutcome>,
    probing: RunningTrial,
    answered: Instant,
}

impl PendingObservation {
    pub async fn settle(self, run: &LiveRun) {
        let state = match self.probing.observations(self.answered).await {
            Ok(observed) => LoginState::Settled { before: self.before, observed },
            Err(_) => LoginState::Unknown,
        };
        run.set_state(self.number, state);
    }
}

async fn check_both(pair: &NodePair, credentials: &Credentials) -> ByNode<CheckOutcome> {
    let trace = Trace::off();
    let (same, other) = tokio::join!(
        timeout(CHECK_LIMIT, pair.same.identify(credentials, &trace)),
        timeout(CHECK_LIMIT, pair.other.identify(credentials, &trace)),
    );
    let outcome = |answer| match answer {
        Ok(Ok(Some(_))) => CheckOutcome::Accepted,
        Ok(Ok(None)) => CheckOutcome::Refused,
        _ => CheckOutcome::Unavailable,
    };
    ByNode { same_node: outcome(same), other_node: outcome(other) }
}
