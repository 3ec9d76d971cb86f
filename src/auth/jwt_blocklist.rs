//! Signed tokens, and a question to Redis at every request: was this one revoked?

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::jwt::{Tokens, describe};
use super::{
    AuthStrategy, Description, Device, Effect, Grant, Identity, Keys, Login, Need, Presented, Promise, Reach, Result,
    Subject, UserId,
};
use crate::clock::Clock;
use crate::store::revocations::{CachedRevocations, ReadFrom, Revocations};
use crate::store::{Redis, Sql};
use crate::trace::{Held, StepKind, Trace};

/// `jwt`, and one Redis read a request for the token's `jti` and the user's cut-off.
pub struct JwtBlocklistStrategy {
    description: Description,
    tokens: Tokens,
    revocations: CachedRevocations,
}

impl JwtBlocklistStrategy {
    /// Tokens that live for `life`; what was revoked stands in `sql` and is read through `redis`.
    pub fn new(keys: Arc<Keys>, sql: Sql, redis: Redis, life: Duration, clock: Clock) -> Self {
        let description = describe_blocklist();
        let truth = Revocations::new(description.slug, sql, clock.clone());
        let revocations = CachedRevocations::new(description.slug, truth, redis, life);
        let tokens = Tokens::new(keys, description.slug, life, clock);
        Self { description, tokens, revocations }
    }
}

#[async_trait]
impl AuthStrategy for JwtBlocklistStrategy {
    fn describe(&self) -> &Description {
        &self.description
    }

    /// The generation is read before the token is signed: a log out everywhere in between ends this login too.
    async fn issue(&self, subject: &Subject, _device: &Device, trace: &Trace) -> Result<Grant> {
        let timer = trace.timer();
        let generation = self.revocations.generation(subject.id).await;
        trace.step(StepKind::Database, timer, || "SQL: SELECT the user's cut-off");
        self.tokens.issue(subject, Some(generation?), trace)
    }

    async fn identify(&self, presented: &Presented, trace: &Trace) -> Result<Option<Identity>> {
        let Some(checked) = self.tokens.check(presented, trace) else { return Ok(None) };
        let Some(generation) = checked.generation else { return Ok(None) };
        let identity = checked.identity;
        let timer = trace.timer();
        let answer = self.revocations.revoked(identity.subject.id, &identity.login, generation).await;
        trace.step(StepKind::Store, timer, || match &answer {
            Ok((_, ReadFrom::Sql)) => "Redis HMGET: not known; filled from the SQL database",
            _ => "Redis HMGET: the user's cut-off and the token's jti",
        });
        trace.server_holds(|| Held {
            title: "Nothing until a token is revoked".into(),
            text: "then: the token's jti and when it expires, or the user's cut-off, in the SQL database and in Redis"
                .to_owned(),
            bytes: 0,
        });
        if answer?.0 {
            trace.refused("the token was revoked: its jti or the user's cut-off is on the list");
            return Ok(None);
        }
        Ok(Some(identity))
    }

    async fn revoke(&self, who: &Identity, reach: Reach, trace: &Trace) -> Result<Effect> {
        let user = who.subject.id;
        let timer = trace.timer();
        let (revoked, words) = match reach {
            Reach::This => {
                let revoked = self.revocations.revoke(user, &who.login, who.expires_at).await;
                (revoked, "SQL: INSERT the token's jti, then Redis DEL: the next request reads it anew")
            }
            // Whose login another jti is, nobody wrote down; of this user's it would be one, of others' never.
            Reach::Other(login) => {
                let revoked = self.revocations.revoke(user, &login, self.tokens.last_end()).await;
                (revoked, "SQL: INSERT the other token's jti, then Redis DEL: the next request reads it anew")
            }
            Reach::Everywhere => {
                let revoked = self.revocations.cut_off(user).await;
                (revoked, "SQL: raise the user's cut-off, then Redis DEL: the next request reads it anew")
            }
        };
        trace.step(StepKind::Store, timer, || words);
        revoked?;
        Ok(Effect::Now)
    }

    async fn logins(&self, _user: UserId, _trace: &Trace) -> Result<Option<Vec<Login>>> {
        Ok(None)
    }
}

fn describe_blocklist() -> Description {
    Description {
        label: "JWT with a blocklist",
        summary: "A signed token in a cookie, and one question to Redis at every request: was it revoked?",
        revocation: "The next request, on every node: the token's jti is on the list.".to_owned(),
        promise: Promise::Immediate,
        needs: Need::Redis,
        store: "Redis, over the SQL database",
        server_holds: "Only what was revoked: a jti until its token expires, a cut-off for a log out everywhere.",
        ends_single: true,
        unknown_logins: Some(
            "Nobody can know. The server writes down the tokens that were revoked, not the ones that were issued: it \
             has a list of the dead and none of the living.",
        ),
        logout: "Ends this login at once: the token's jti goes on the list.",
        logout_everywhere: "Ends every login of yours under this mount at once: one cut-off, not a list.",
        password_change: "Every other login of yours under this mount ends at once.",
        ..describe("jwt-blocklist")
    }
}
