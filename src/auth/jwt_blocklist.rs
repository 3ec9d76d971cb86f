//! `jwt-blocklist`: a signed token, and a question to Redis at every request: was it revoked?

use std::sync::Arc;
use std::time::Duration;

use super::jwt::{KEPT_LONGER, Tokens, describe};
use super::jwt_revocable::FILL_CALLS;
use super::{Description, Effect, Keys, Need, Promise, RevocableJwtStrategy, Upkeep};
use crate::clock::Clock;
use crate::store::revocations::{CachedRevocations, Revocations};
use crate::store::{Redis, Sql};

impl RevocableJwtStrategy {
    /// Tokens that live for `life`; what was revoked stands in `sql` and is read through `redis`, one command a request.
    pub fn blocklist(keys: Arc<Keys>, sql: Sql, redis: &Redis, life: Duration, clock: Clock) -> Self {
        let kept = life + KEPT_LONGER;
        let description = describe_blocklist(&keys, kept);
        let truth = Arc::new(Revocations::new(description.slug, sql, kept, clock.clone()));
        let list = Arc::new(CachedRevocations::new(description.slug, truth, redis, kept));
        let tokens = Tokens::new(keys, description.slug, life, clock);
        Self { description, tokens, list, effect: Effect::Now }
    }
}

fn describe_blocklist(keys: &Keys, kept: Duration) -> Description {
    Description {
        label: "JWT with a blocklist",
        summary: "A signed token in a cookie, and one question to Redis at every request: was it revoked?",
        revocation: "The next request, on every node: the token's jti is on the list.".to_owned(),
        promise: Promise::Immediate,
        needs: Need::Redis,
        store: "Redis, over the SQL database",
        server_holds: "Only what was revoked: a jti until its token expires, a cut-off for a log out everywhere.",
        upkeep: Some(Upkeep {
            by_user: true,
            calls: FILL_CALLS - 1,
            ..Upkeep::of_login("refills from the SQL database", kept)
        }),
        ends_single: true,
        unknown_logins: Some(
            "Nobody can know. The server writes down the tokens that were revoked, not the ones that were issued: it \
             has a list of the dead and none of the living.",
        ),
        logout: "Ends this login at once: the token's jti goes on the list.",
        logout_everywhere: "Ends every login of yours under this mount at once: one cut-off, not a list.",
        password_change: "Every other login of yours under this mount ends at once.",
        gives_up: "Every request waits for Redis, as a session does, and carries a token on top; nobody can list logins.",
        ..describe("jwt-blocklist", keys)
    }
}
