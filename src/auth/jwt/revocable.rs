//! Signed tokens that can be revoked one by one: what `jwt-blocklist` and `jwt-pushed` share. They differ in where a node
//! reads the blocklist.

use std::sync::Arc;

use async_trait::async_trait;

use super::tokens::{CLOCK_MARGIN, Tokens};
use crate::auth::{AuthStrategy, Credentials, Description, Effect, Grant, Identity, Result, RevokeScope};
use crate::clock::Timestamp;
use crate::identity::{Device, LoginId, Subject, UserId};
use crate::store::revocations::{ReadFrom, RevocationList, RevocationLookup};
use crate::store::{Footprint, StoreError};
use crate::trace::{HeldData, StepKind, Trace};

/// Checks a token, then whether it was revoked.
pub struct RevocableJwtStrategy {
    pub(super) description: Description,
    pub(super) tokens: Tokens,
    pub(super) list: Arc<dyn RevocationList>,
    /// When a revoke takes effect.
    pub(super) effect: Effect,
}

impl RevocableJwtStrategy {
    async fn is_revoked(&self, who: &Identity, generation: i64, trace: &Trace) -> Result<bool> {
        let (user, login) = (who.subject.id, &who.login);
        let timer = trace.timer();
        if let Some(is_revoked) = self.list.recall(user, login, generation) {
            trace.step(StepKind::Memory, timer, || "process memory: the user's generation and the token's jti");
            return Ok(is_revoked);
        }
        let words = |looked_up: &std::result::Result<RevocationLookup, StoreError>| match looked_up {
            Ok(RevocationLookup { read_from: ReadFrom::Sql, .. }) => {
                "Redis HMGET: unknown; filled from the SQL database"
            }
            _ => "Redis HMGET: the user's generation and the token's jti",
        };
        Ok(trace.timed(StepKind::Store, words, self.list.look_up(user, login, generation)).await?.is_revoked)
    }

    async fn revoke_one(&self, user: UserId, login: &LoginId, expires: Timestamp, trace: &Trace) -> Result<Effect> {
        let revoke = self.list.revoke(user, login, expires + CLOCK_MARGIN);
        trace.timed(StepKind::Store, |_| self.list.commands().revoke, revoke).await?;
        Ok(self.effect)
    }
}

#[async_trait]
impl AuthStrategy for RevocableJwtStrategy {
    fn describe(&self) -> &Description {
        &self.description
    }

    /// Reads the generation before it signs the token: a log out everywhere in between revokes this login, too.
    async fn issue(&self, subject: &Subject, _device: &Device, trace: &Trace) -> Result<Grant> {
        let generation = self.list.generation(subject.id);
        let generation =
            trace.timed(StepKind::Database, |_| "Redis PING; SQL SELECT the user's generation", generation).await?;
        self.tokens.issue(subject, Some(generation), trace)
    }

    async fn identify(&self, credentials: &Credentials, trace: &Trace) -> Result<Option<Identity>> {
        let Some(checked) = self.tokens.check(credentials, trace) else { return Ok(None) };
        let Some(generation) = checked.generation else {
            trace.refused("the token carries no generation");
            return Ok(None);
        };
        let identity = checked.identity;
        let revoked = self.is_revoked(&identity, generation, trace).await;
        trace.server_holds(|| {
            || HeldData {
                title: "Nothing, until a token is revoked".into(),
                text: "then its jti until it expires, or one generation for the user".to_owned(),
                bytes: Some(0),
            }
        });
        if revoked? {
            trace.refused("the token was revoked: its jti is on the blocklist, or its generation is an earlier one");
            return Ok(None);
        }
        Ok(Some(identity))
    }

    async fn revoke(&self, who: &Identity, scope: RevokeScope, trace: &Trace) -> Result<Effect> {
        let user = who.subject.id;
        match scope {
            RevokeScope::This => self.revoke_one(user, &who.login, who.expires_at, trace).await,
            // The blocklist is kept by user: somebody else's jti on it revokes nothing.
            RevokeScope::Other(login) => self.revoke_one(user, &login, self.tokens.last_expiry(), trace).await,
            RevokeScope::Everywhere => {
                let raise = self.list.raise_generation(user);
                trace.timed(StepKind::Store, |_| self.list.commands().raise_generation, raise).await?;
                Ok(self.effect)
            }
        }
    }

    /// Signs the next generation, whichever the database has by then: of two raises at once neither leaves a login. Reads
    /// after the raise whether the old token was revoked by its name.
    async fn replace(
        &self,
        who: &Identity,
        credentials: &Credentials,
        _device: &Device,
        trace: &Trace,
    ) -> Result<Option<Grant>> {
        let next = self.tokens.next_generation(credentials, trace);
        self.revoke(who, RevokeScope::Everywhere, trace).await?;
        let Some(next) = next else { return Ok(None) };
        // From the stores: another node's push may be on its way to this one's memory.
        let lookup = self.list.look_up(who.subject.id, &who.login, next);
        let words = |_: &_| "Redis HMGET: the user's generation and the old token's jti";
        if trace.timed(StepKind::Store, words, lookup).await?.is_revoked {
            trace.refused("another request revoked the login meanwhile");
            return Ok(None);
        }
        self.tokens.issue(&who.subject, Some(next), trace).map(Some)
    }

    async fn footprint(&self, who: &Identity) -> Result<Footprint> {
        Ok(self.list.footprint(who.subject.id).await?)
    }
}
