//! `session-tracked`: an opaque id, a record in Redis, and a copy in this process that Redis evicts.

use std::sync::Arc;

use super::description::millis;
use super::session::describe;
use super::{Description, Effect, Need, Promise, SessionLimits, SessionStrategy};
use crate::clock::Clock;
use crate::store::PUSH_BOUND;
use crate::store::sessions::{COPIES, LoginStore};

impl<S: LoginStore> SessionStrategy<S> {
    /// Under `/session-tracked`: records in Redis, the ones in use in this process too.
    pub fn tracked(store: Arc<S>, limits: SessionLimits, clock: Clock) -> Self {
        let bound = PUSH_BOUND;
        let description = Description {
            slug: "session-tracked",
            label: "Session tracked by Redis",
            summary: "An opaque id in a cookie; the record is in Redis, and a copy in every node that uses it, which \
                Redis evicts when the record changes.",
            revocation: format!(
                "When the push arrives; with the channel cut every request asks Redis, so \
                 after {} ms at the latest.",
                bound.as_millis()
            ),
            promise: Promise::Push { bound_ms: millis(bound) },
            needs: Need::Redis,
            upkeep: Some(limits.upkeep()),
            copies: Some(COPIES),
            logout: "Ends this login: on this node at once, on others when the push arrives.",
            logout_everywhere: "Ends every login of yours under this mount: on this node at once, on others when the \
                push arrives.",
            password_change: "Every other login of yours under this mount ends: on this node at once, on others when \
                the push arrives.",
            gives_up: "Other nodes hear of a revoke a moment later, and every node keeps copies of what it uses.",
            ..describe(store.commands().held_in)
        };
        Self { description, store, limits, clock, effect: Effect::Within(bound) }
    }
}
