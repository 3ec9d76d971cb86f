//! Signed tokens that can be revoked one by one: what `jwt-blocklist` and `jwt-pushed` share. They differ in where the
//! list is read.

use std::sync::Arc;

use async_trait::async_trait;

use super::jwt::{KEPT_LONGER, Tokens};
use super::{
    AuthStrategy, Description, Device, Effect, Grant, Identity, Login, LoginId, Presented, Reach, Result, Stored,
    Subject, UserId,
};
use crate::clock::Timestamp;
use crate::store::revocations::{ReadFrom, RevocationList};
use crate::trace::{Held, StepKind, Trace};

/// A miss: HMGET, a lease, two SELECTs, the fill.
pub(super) const FILL_CALLS: u32 = 5;

/// `jwt`, and a list of what was revoked.
pub struct RevocableJwtStrategy {
    pub(super) description: Description,
    pub(super) tokens: Tokens,
    pub(super) list: Arc<dyn RevocationList>,
    /// When a revoke that was carried out takes effect.
    pub(super) effect: Effect,
}

impl RevocableJwtStrategy {
    async fn is_revoked(&self, who: &Identity, generation: i64, trace: &Trace) -> Result<bool> {
        let timer = trace.timer();
        if let Some(known) = self.list.recall(who.subject.id, &who.login, generation) {
            trace.step(StepKind::Memory, timer, || "process memory: the user's cut-off and the token's jti");
            return Ok(known);
        }
        let answer = self.list.revoked(who.subject.id, &who.login, generation).await;
        let (calls, words) = match &answer {
            Ok((_, ReadFrom::Sql)) => (FILL_CALLS as usize, "Redis HMGET: not known; filled from the SQL database"),
            _ => (1, "Redis HMGET: the user's cut-off and the token's jti"),
        };
        trace.step_of(StepKind::Store, calls, timer, || words);
        Ok(answer?.0)
    }

    async fn revoke_one(&self, user: UserId, login: &LoginId, expires: Timestamp, trace: &Trace) -> Result<Effect> {
        let timer = trace.timer();
        let revoked = self.list.revoke(user, login, expires + KEPT_LONGER).await;
        let (words, calls) = self.list.commands().revoke;
        trace.step_of(StepKind::Store, calls, timer, || words);
        revoked?;
        Ok(self.effect)
    }
}

#[async_trait]
impl AuthStrategy for RevocableJwtStrategy {
    fn describe(&self) -> &Description {
        &self.description
    }

    /// The generation is read before the token is signed: a log out everywhere in between ends this login too.
    async fn issue(&self, subject: &Subject, _device: &Device, trace: &Trace) -> Result<Grant> {
        let timer = trace.timer();
        let generation = self.list.generation(subject.id).await;
        trace.step(StepKind::Database, timer, || "SQL SELECT the user's cut-off");
        self.tokens.issue(subject, Some(generation?), trace)
    }

    async fn identify(&self, presented: &Presented, trace: &Trace) -> Result<Option<Identity>> {
        let Some(checked) = self.tokens.check(presented, trace) else { return Ok(None) };
        let Some(generation) = checked.generation else {
            trace.refused("the token carries no generation");
            return Ok(None);
        };
        let identity = checked.identity;
        let revoked = self.is_revoked(&identity, generation, trace).await;
        trace.server_holds(|| {
            || Held {
                title: "Nothing, until a token is revoked".into(),
                text: "then its jti until it expires, or one cut-off for the user".to_owned(),
                bytes: Some(0),
            }
        });
        if revoked? {
            trace.refused("the token was revoked: its jti or the user's cut-off is on the list");
            return Ok(None);
        }
        Ok(Some(identity))
    }

    async fn revoke(&self, who: &Identity, reach: Reach, trace: &Trace) -> Result<Effect> {
        let user = who.subject.id;
        match reach {
            Reach::This => self.revoke_one(user, &who.login, who.expires_at, trace).await,
            // The list is kept by user: somebody else's jti on it touches nobody.
            Reach::Other(login) => self.revoke_one(user, &login, self.tokens.last_end(), trace).await,
            Reach::Everywhere => {
                let timer = trace.timer();
                let raised = self.list.cut_off(user).await;
                trace.step(
                    StepKind::Store,
                    timer,
                    || "SQL raise the user's cut-off, then Redis: tell whoever reads it",
                );
                raised?;
                Ok(self.effect)
            }
        }
    }

    async fn logins(&self, _user: UserId, _trace: &Trace) -> Result<Option<Vec<Login>>> {
        Ok(None)
    }

    async fn stored(&self, who: &Identity) -> Result<Stored> {
        Ok(self.list.footprint(who.subject.id).await?)
    }
}
