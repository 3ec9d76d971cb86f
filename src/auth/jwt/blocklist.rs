//! `jwt-blocklist`: a signed token, and one read of the blocklist in Redis for every request.

use std::sync::Arc;
use std::time::Duration;

use super::tokens::{CLOCK_MARGIN, Tokens};
use super::{BROWSER_HOLDS, Keys, RevocableJwtStrategy, TRANSPORT};
use crate::auth::{Backend, CredentialKind, Description, Effect, Promise, Texts, Upkeep};
use crate::clock::Clock;
use crate::store::revocations::{CachedRevocations, Revocations};
use crate::store::{Redis, Sql};

/// To refill a user's key takes four store calls: the lease in Redis, two SELECTs, and the script that fills.
const REFILL_CALLS: u32 = 4;

impl RevocableJwtStrategy {
    /// Issues tokens that live for `life`. The SQL database keeps the revocations; every check reads them through Redis,
    /// by one command.
    pub fn blocklist(keys: Arc<Keys>, sql: Sql, redis: &Redis, life: Duration, clock: Clock) -> Self {
        let kept = life + CLOCK_MARGIN;
        let description = describe(&keys, kept);
        let durable = Arc::new(Revocations::new(description.slug, sql, kept, clock.clone()));
        let list = Arc::new(CachedRevocations::new(description.slug, durable, redis, kept));
        let tokens = Tokens::new(keys, description.slug, life, clock);
        Self { description, tokens, list, effect: Effect::Now }
    }
}

fn describe(keys: &Keys, kept: Duration) -> Description {
    let refill = Upkeep::of_login("refills from the SQL database", kept);
    Description {
        slug: "jwt-blocklist",
        kind: CredentialKind::Token,
        promise: Promise::Immediate,
        backend: Backend::Redis,
        shared: true,
        signed_with: Some(keys.algorithm().name()),
        upkeep: Some(Upkeep { by_user: true, calls: REFILL_CALLS, ..refill }),
        max_copies: None,
        transport: TRANSPORT,
        revokes_single: true,
        lists_logins: false,
        texts: Texts {
            label: "JWT with a blocklist",
            summary: "A signed token in a cookie. For every request the server looks in Redis whether it was revoked.",
            revocation: "The next request, on every node: the token's jti is on the blocklist.".to_owned(),
            store: "Redis, filled from the SQL database",
            browser_holds: BROWSER_HOLDS,
            server_holds: "Only revocations: a jti until its token expires, and one generation for each user.",
            notice: None,
            devices: "The server keeps the tokens that were revoked, and no record of those that it issued. So it has no \
                list of logins.",
            logout: "Revokes this login at once: the server puts the token's jti on the blocklist.",
            logout_everywhere: "Revokes every login of yours under this mount at once: the server raises your generation.",
            password_change: "Revokes every other login of yours under this mount at once.",
            gives_up: "Every request waits for Redis, as a session does, and carries a token on top. The server cannot list logins.",
        },
    }
}
