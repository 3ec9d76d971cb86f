//! The users whose logins one mount still has to revoke.

use std::collections::VecDeque;
use std::sync::Arc;

use uuid::Uuid;

use super::pause::RetryPause;
use crate::auth::{AuthStrategy, Backend, Effect, Failure};
use crate::clock::Timestamp;
use crate::flow::blocked_users::BlockedUsers;
use crate::flow::state::Services;
use crate::security_log::{EventSource, RevocationCause, RevocationReach, SecurityEvent, record};
use crate::store::StoreError;
use crate::store::ended_users::{EndCause, EndedUser};
use crate::trace::Trace;

/// The queue of one mount.
pub(super) struct MountQueue {
    strategy: Arc<dyn AuthStrategy>,
    waiting: VecDeque<EndedUser>,
    /// How many of them, from the front, no check accepts.
    blocked: usize,
    pause: RetryPause,
    /// What the security log does not have yet.
    unrecorded: Vec<(EventSource, SecurityEvent)>,
}

impl MountQueue {
    pub fn new(strategy: Arc<dyn AuthStrategy>) -> Self {
        Self { strategy, waiting: VecDeque::new(), blocked: 0, pause: RetryPause::default(), unrecorded: Vec::new() }
    }

    pub fn backend(&self) -> Backend {
        self.strategy.describe().backend
    }

    pub fn slug(&self) -> &'static str {
        self.strategy.describe().slug
    }

    pub fn push(&mut self, ended: EndedUser) {
        self.waiting.push_back(ended);
    }

    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The rows of the users who wait.
    pub fn waiting(&self) -> impl Iterator<Item = Uuid> {
        self.waiting.iter().map(|ended| ended.id)
    }

    /// Revokes the logins of each user in turn. Stops at the first failure, which the next user's revoke would repeat.
    pub async fn carry_out(&mut self, services: &Services) -> Result<(), Failure> {
        if !self.pause.is_over() {
            self.block(&services.blocked_users);
            return Ok(());
        }
        while let Some(ended) = self.waiting.front().copied() {
            match services.revoke_all_of(self.strategy.as_ref(), ended.user, &Trace::off()).await {
                Ok(effect) => self.unrecorded.push(revocation(self.slug(), &ended, effect, services.clock.now())),
                // Without Redis no login needs it.
                Err(Failure::Store(StoreError::Absent { .. })) => {}
                Err(failure) => {
                    self.block(&services.blocked_users);
                    self.pause.begin();
                    return Err(failure);
                }
            }
            self.waiting.pop_front();
            if self.blocked > 0 {
                self.blocked -= 1;
                services.blocked_users.unblock(self.slug(), ended.user);
            }
        }
        self.pause = RetryPause::default();
        Ok(())
    }

    /// Tells the security log what the mount has revoked.
    pub fn record(&mut self) {
        self.unrecorded.drain(..).for_each(|(source, event)| record(&source, &event));
    }

    /// Lets no check accept those who wait: the store may come back before the pause ends.
    fn block(&mut self, blocked_users: &BlockedUsers) {
        for ended in self.waiting.range(self.blocked..) {
            blocked_users.block(self.strategy.describe().slug, ended.user);
        }
        self.blocked = self.waiting.len();
    }
}

/// No request did this, so the event names none.
fn revocation(slug: &str, ended: &EndedUser, effect: Effect, now: Timestamp) -> (EventSource, SecurityEvent) {
    let cause = match ended.cause {
        EndCause::Disabled => RevocationCause::UserDisabled,
        EndCause::Deleted => RevocationCause::UserDeleted,
        EndCause::Reset => RevocationCause::Reset,
    };
    let (reach, refused_within_ms) = (RevocationReach::Everywhere, effect.refused_within_ms(now));
    let event = SecurityEvent::LoginRevoked { reach, cause, revoked_login_id: None, refused_within_ms };
    let mount = Some(format!("/{slug}").into());
    (EventSource { mount, user_id: Some(ended.user), ..EventSource::default() }, event)
}
