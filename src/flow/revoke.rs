//! Revokes logins on this node, and says when the last one is refused.

use std::time::Duration;

use crate::auth::{AuthStrategy, Effect, Failure, Identity, Promise, RevokeScope};
use crate::flow::state::Services;
use crate::identity::{LoginId, Role, Subject, UserId};
use crate::trace::Trace;

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

/// Says when a node refuses the logins of a user who has ended.
pub fn when_refused(promise: Promise) -> String {
    match promise {
        Promise::Immediate => "the next request is refused".to_owned(),
        Promise::Push { bound_ms } => format!("refused when the push arrives, after {bound_ms} ms at the latest"),
        Promise::Expiry { bound_ms } => {
            let bound = humantime::format_duration(Duration::from_millis(bound_ms));
            format!("accepted until the token expires: for up to {bound}")
        }
    }
}
