//! Ends the logins of users who were disabled or deleted, under every mount of this node.
//!
//! The presenter's page and the commands write to the SQL database that a user has ended. Each node reads that every half
//! second, with one statement, and revokes every login of the user. So no check of a request reads whether the user has
//! ended: the strategies keep their cost. A node does the same before it answers its first request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::state::{AppState, Services};
use crate::auth::{AuthStrategy, Effect, Failure, Identity, Promise, RevokeScope};
use crate::clock::Timestamp;
use crate::identity::{LoginId, Role, Subject, UserId};
use crate::store::StoreError;
use crate::store::ended_users::EndedUser;
use crate::trace::Trace;

/// The time from one look at the database to the next.
const PERIOD: Duration = Duration::from_millis(500);

/// Within this long every node has ended the logins, where the strategy can: the period, and the time that the stores take.
pub const ENDED_WITHIN: Duration = Duration::from_secs(1);

/// How far back a node looks each time: the clock of the machine that ended the user may be behind, and a transaction may
/// commit late.
const LOOK_BACK: Duration = Duration::from_hours(1);

/// The longest that a login could have lived, when a node starts.
const LONGEST_LIFE: Duration = Duration::from_hours(24 * 3650);

/// Ends logins on one node.
pub struct EndedUserWatch {
    state: Arc<AppState>,
    /// What this node has carried out, and when each user ended.
    done: HashMap<Uuid, Timestamp>,
    /// Whether the last look failed: the log has one line for an outage.
    failing: bool,
}

impl EndedUserWatch {
    pub fn new(state: Arc<AppState>) -> Self {
        Self { state, done: HashMap::new(), failing: false }
    }

    /// Ends what must have ended before the node answers its first request. What a missing store keeps it from is tried
    /// again later: a strategy without its store accepts nobody meanwhile.
    pub async fn catch_up(&mut self) {
        let services = &self.state.services;
        let (store, now) = (&services.ended_users, services.clock.now());
        let (ended, recent) = (store.at_start(now - LONGEST_LIFE).await, store.since(now - LOOK_BACK).await);
        if let (Ok(ended), Ok(recent)) = (&ended, recent) {
            // Another node has ended these before, and the user was enabled again: later logins stay.
            let others = recent.into_iter().filter(|it| ended.iter().all(|mine| mine.id != it.id));
            self.done.extend(others.map(|it| (it.id, it.at)));
        }
        self.take(ended).await;
    }

    /// Looks again and again, until it is dropped.
    pub async fn run(mut self) {
        loop {
            tokio::time::sleep(PERIOD).await;
            let services = &self.state.services;
            let since = services.clock.now() - LOOK_BACK;
            let ended = services.ended_users.since(since).await;
            self.done.retain(|_, at| *at > since);
            self.take(ended).await;
        }
    }

    async fn take(&mut self, ended: Result<Vec<EndedUser>, StoreError>) {
        let outcome = match ended {
            Ok(ended) => self.carry_out(ended).await,
            Err(error) => Err(error.into()),
        };
        match &outcome {
            Ok(()) if self.failing => tracing::info!("the node has ended every login of disabled and deleted users"),
            Err(error) if !self.failing => {
                tracing::error!(%error, "the node could not end logins of a disabled or deleted user; it tries again");
            }
            Ok(()) | Err(_) => {}
        }
        self.failing = outcome.is_err();
    }

    /// Goes on after a failure: another user's logins, or another mount, may need another store.
    async fn carry_out(&mut self, ended: Vec<EndedUser>) -> Result<(), Failure> {
        let mut outcome = Ok(());
        for ended in ended.into_iter().filter(|ended| !self.done.contains_key(&ended.id)).collect::<Vec<_>>() {
            match self.end_logins(ended).await {
                Ok(()) => drop(self.done.insert(ended.id, ended.at)),
                Err(failure) => outcome = Err(failure),
            }
        }
        outcome
    }

    async fn end_logins(&self, ended: EndedUser) -> Result<(), Failure> {
        let services = &self.state.services;
        let mut outcome = Ok(());
        for strategy in self.state.strategies() {
            if let Err(failure) = services.revoke_all_of(strategy.as_ref(), ended.user, &Trace::off()).await
                && !is_absent(&failure)
            {
                outcome = Err(failure);
            }
        }
        outcome?;
        Ok(services.ended_users.carried_out(ended).await?)
    }
}

/// Without Redis no login needs it.
fn is_absent(failure: &Failure) -> bool {
    matches!(failure, Failure::Store(StoreError::Absent { .. }))
}

impl Services {
    /// Revokes logins, stops the password changes under way that they concern, and wakes the open pages of this node.
    pub(super) async fn revoke(
        &self,
        strategy: &dyn AuthStrategy,
        who: &Identity,
        scope: RevokeScope,
        trace: &Trace,
    ) -> Result<Effect, Failure> {
        self.changes_under_way.revoke(strategy.describe(), who, &scope);
        let effect = strategy.revoke(who, scope, trace).await?;
        // Only expiry ends this login, so no open page needs a check.
        if !matches!(effect, Effect::At(_)) {
            self.login_events.revoked();
        }
        Ok(effect)
    }

    /// Revokes every login of any user.
    pub(super) async fn revoke_all_of(
        &self,
        strategy: &dyn AuthStrategy,
        user: UserId,
        trace: &Trace,
    ) -> Result<Effect, Failure> {
        let now = self.clock.now();
        let subject = Subject { id: user, name: "".into(), role: Role::User };
        let who = Identity { subject, login: LoginId::random(), issued_at: now, expires_at: now };
        self.revoke(strategy, &who, RevokeScope::Everywhere, trace).await
    }
}

/// Says how long a node may still accept logins of a user who has ended.
pub fn lives_on(promise: Promise) -> String {
    match promise {
        Promise::Immediate => "the next request is refused".to_owned(),
        Promise::Push { bound_ms } => format!("refused when the push arrives, after {bound_ms} ms at the latest"),
        Promise::Expiry { bound_ms } => {
            let bound = humantime::format_duration(Duration::from_millis(bound_ms));
            format!("accepted until the token expires: for up to {bound}")
        }
    }
}
