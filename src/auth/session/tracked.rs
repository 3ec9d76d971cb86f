//! `session-tracked`: an opaque id, a record in Redis, and a tracked copy in this process, which Redis evicts.

use std::sync::Arc;

use super::{BROWSER_HOLDS, DEVICES, SessionLimits, SessionStrategy, TRANSPORT};
use crate::auth::{Backend, CredentialKind, Description, Effect, Promise, Texts};
use crate::clock::{Clock, whole_millis};
use crate::store::PUSH_BOUND;
use crate::store::sessions::{LoginStore, MAX_COPIES};

impl<S: LoginStore> SessionStrategy<S> {
    /// Keeps records in Redis, and copies of those in use in this process.
    pub fn tracked(store: Arc<S>, limits: SessionLimits, clock: Clock) -> Self {
        let bound_ms = whole_millis(PUSH_BOUND);
        let description = Description {
            slug: "session-tracked",
            kind: CredentialKind::Session,
            promise: Promise::Push { bound_ms },
            backend: Backend::Redis,
            shared: true,
            signed_with: None,
            upkeep: Some(limits.upkeep()),
            max_copies: Some(MAX_COPIES),
            transport: TRANSPORT,
            revokes_single: true,
            lists_logins: true,
            texts: Texts {
                label: "Session tracked by Redis",
                summary: "An opaque id in a cookie. The record is in Redis, with a copy in every node that uses it. Redis \
                    evicts the copies when the record changes.",
                revocation: format!(
                    "When the push arrives. While the push channel is cut, every check reads Redis: so after {bound_ms} \
                     ms at the latest."
                ),
                store: store.step_names().held_in,
                browser_holds: BROWSER_HOLDS,
                server_holds: "A record of the login: whose it is, since when, from where, until when.",
                notice: None,
                devices: DEVICES,
                logout: "Revokes this login: on this node at once, on others when the push arrives.",
                logout_everywhere: "Revokes every login of yours under this mount: on this node at once, on others when \
                    the push arrives.",
                password_change: "Revokes every other login of yours under this mount: on this node at once, on others \
                    when the push arrives.",
                gives_up: "Other nodes learn of a revocation a moment later, and every node keeps copies of what it uses.",
            },
        };
        Self { description, store, limits, clock, effect: Effect::Within(PUSH_BOUND) }
    }
}
