//! Tells the security log what a request to a mount did, and for which login.

use super::RequestContext;
use crate::auth::{AuthStrategy, Effect, Identity, RevokeScope};
use crate::identity::{LoginId, UserId};
use crate::security_log::{EventSource, RevocationCause, RevocationReach, SecurityEvent, record};

impl RequestContext {
    /// Records an event of this login.
    pub fn record(&self, login: &Identity, event: &SecurityEvent) {
        self.record_of(Some(login.subject.id), Some(&login.login), event);
    }

    /// Records an event of a user, as far as it is known.
    pub fn record_of(&self, user: Option<UserId>, login: Option<&LoginId>, event: &SecurityEvent) {
        record(&EventSource { user_id: user, login_id: login.cloned(), ..self.source().clone() }, event);
    }

    /// Records what became of a revocation under a mount. `None`: a store did not confirm it.
    pub(super) fn record_revocation(
        &self,
        strategy: &dyn AuthStrategy,
        who: &Identity,
        scope: &RevokeScope,
        cause: RevocationCause,
        effect: Option<Effect>,
    ) {
        let revoked_login_id = if let RevokeScope::Other(login) = scope { Some(login.clone()) } else { None };
        let reach = reach(scope);
        let event = match effect {
            Some(effect) => {
                let refused_within_ms = effect.refused_within_ms(self.services().clock.now());
                SecurityEvent::LoginRevoked { reach, cause, revoked_login_id, refused_within_ms }
            }
            None => SecurityEvent::RevocationUnconfirmed { reach, cause },
        };
        let mount = format!("/{}", strategy.describe().slug);
        let (user_id, login_id) = (Some(who.subject.id), Some(who.login.clone()));
        record(&EventSource { mount: Some(mount.into()), user_id, login_id, ..self.source().clone() }, &event);
    }
}

/// The reach of a revocation, as the log names it.
pub(in crate::flow) fn reach(scope: &RevokeScope) -> RevocationReach {
    match scope {
        RevokeScope::This => RevocationReach::This,
        RevokeScope::Other(_) => RevocationReach::Other,
        RevokeScope::Everywhere => RevocationReach::Everywhere,
    }
}
