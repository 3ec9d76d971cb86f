//! `jwt-pushed`: a signed token, and the list of the revoked ones in the memory of every node.

use std::sync::Arc;
use std::time::Duration;

use super::description::millis;
use super::jwt::{KEPT_LONGER, Tokens, describe};
use super::{Description, Effect, Keys, Need, Promise, RevocableJwtStrategy};
use crate::clock::Clock;
use crate::store::revocations::{PushedRevocations, Revocations};
use crate::store::{PUSH_BOUND, Redis, Sql};

impl RevocableJwtStrategy {
    /// Tokens that live for `life`; what was revoked stands in `sql` and is pushed through `redis` into memory.
    pub fn pushed(keys: Arc<Keys>, sql: Sql, redis: Redis, life: Duration, clock: Clock) -> Self {
        let description = describe_pushed(&keys);
        let kept = life + KEPT_LONGER;
        let truth = Revocations::new(description.slug, sql, kept, clock.clone());
        let list = Arc::new(PushedRevocations::new(description.slug, truth, redis, kept, clock.clone()));
        let tokens = Tokens::new(keys, description.slug, life, clock);
        Self { description, tokens, list, effect: Effect::Within(PUSH_BOUND) }
    }
}

fn describe_pushed(keys: &Keys) -> Description {
    let bound_ms = millis(PUSH_BOUND);
    Description {
        label: "JWT with a pushed blocklist",
        summary: "A signed token in a cookie; every node has the list of the revoked ones in its memory, and Redis pushes \
            what is new.",
        revocation: format!(
            "When the push arrives; with the channel cut every request asks Redis, so after \
             {bound_ms} ms at the latest."
        ),
        promise: Promise::Push { bound_ms },
        needs: Need::Redis,
        store: "process memory, fed by Redis, over the SQL database",
        server_holds: "Only what was revoked, in every node's memory: some 56 to 112 bytes for each revoked login.",
        ends_single: true,
        unknown_logins: Some(
            "Nobody can know. Every node has a list of the tokens that were revoked, and none of those that were issued.",
        ),
        logout: "Ends this login: the token's jti is pushed to every node.",
        logout_everywhere: "Ends every login of yours under this mount: one cut-off is pushed to every node.",
        password_change: "Every other login of yours under this mount ends: on this node at once, on others when the push \
            arrives.",
        gives_up: "Other nodes hear of a revoke a moment later; every request carries a token; nobody can list logins.",
        ..describe("jwt-pushed", keys)
    }
}
