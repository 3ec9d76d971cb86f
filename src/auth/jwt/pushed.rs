//! `jwt-pushed`: a signed token, and the blocklist in the memory of every node.

use std::sync::Arc;
use std::time::Duration;

use super::tokens::{CLOCK_MARGIN, Tokens};
use super::{BROWSER_HOLDS, Keys, RevocableJwtStrategy, TRANSPORT};
use crate::auth::{Backend, CredentialKind, Description, Effect, Promise, Texts};
use crate::clock::{Clock, whole_millis};
use crate::store::revocations::{PushedRevocations, Revocations};
use crate::store::{PUSH_BOUND, Redis, Sql};

impl RevocableJwtStrategy {
    /// Issues tokens that live for `life`. The SQL database keeps the revocations; Redis pushes them to every node.
    pub fn pushed(keys: Arc<Keys>, sql: Sql, redis: Redis, life: Duration, clock: Clock) -> Self {
        let description = describe(&keys);
        let kept = life + CLOCK_MARGIN;
        let durable = Revocations::new(description.slug, sql, kept, clock.clone());
        let list = Arc::new(PushedRevocations::new(description.slug, durable, redis, kept, clock.clone()));
        let tokens = Tokens::new(keys, description.slug, life, clock);
        Self { description, tokens, list, effect: Effect::Within(PUSH_BOUND) }
    }
}

fn describe(keys: &Keys) -> Description {
    let bound_ms = whole_millis(PUSH_BOUND);
    Description {
        slug: "jwt-pushed",
        kind: CredentialKind::Token,
        promise: Promise::Push { bound_ms },
        backend: Backend::Redis,
        shared: true,
        signed_with: Some(keys.algorithm().name()),
        upkeep: None,
        max_copies: None,
        transport: TRANSPORT,
        revokes_single: true,
        lists_logins: false,
        texts: Texts {
            label: "JWT with a pushed blocklist",
            summary: "A signed token in a cookie. Every node has the blocklist in its memory, and Redis pushes each new \
                revocation.",
            revocation: format!(
                "When the push arrives. While the push channel is cut, every check reads Redis: so after {bound_ms} ms at \
                 the latest."
            ),
            store: "process memory, fed by Redis, filled from the SQL database",
            browser_holds: BROWSER_HOLDS,
            server_holds: "Only revocations, in every node's memory: 56 to 112 bytes for each revoked login.",
            notice: None,
            devices: "Every node has the list of the tokens that were revoked, and no record of those that were issued. So \
                there is no list of logins.",
            logout: "Revokes this login: Redis pushes the token's jti to every node.",
            logout_everywhere: "Revokes every login of yours under this mount: Redis pushes your new generation to every \
                node.",
            password_change: "Revokes every other login of yours under this mount: on this node at once, on others when \
                the push arrives.",
            gives_up: "Other nodes learn of a revocation a moment later. Every request carries a token. The server \
                cannot list logins.",
        },
    }
}
