//! `jwt-generation`: a signed token that carries the user's generation. Raising it revokes every login of the user.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::tokens::Tokens;
use super::{BROWSER_HOLDS, Keys, TRANSPORT};
use crate::auth::{
    AuthStrategy, Backend, CredentialKind, Credentials, Description, Effect, Grant, Identity, Promise, Result,
    RevokeScope, Texts,
};
use crate::clock::Clock;
use crate::identity::{Device, Subject, UserId};
use crate::store::Footprint;
use crate::store::users::Users;
use crate::trace::{HeldData, StepKind, Trace};

/// Compares the generation in a token with the one in the user's row, for every request.
pub struct JwtGenerationStrategy {
    description: Description,
    tokens: Tokens,
    users: Users,
}

impl JwtGenerationStrategy {
    /// Issues tokens that live for `life`.
    pub fn new(keys: Arc<Keys>, users: Users, life: Duration, clock: Clock) -> Self {
        let description = describe(&keys);
        let tokens = Tokens::new(keys, description.slug, life, clock);
        Self { description, tokens, users }
    }

    /// Reads the user's present generation. `None`: there is no such user.
    async fn generation(&self, user: UserId, trace: &Trace) -> Result<Option<i64>> {
        let words = |_: &_| format!("{}: SELECT the user's generation", self.users.store());
        Ok(trace.timed(StepKind::Database, words, self.users.generation(user)).await?)
    }
}

#[async_trait]
impl AuthStrategy for JwtGenerationStrategy {
    fn describe(&self) -> &Description {
        &self.description
    }

    /// Reads the generation before it signs the token: a log out in between revokes this login, too.
    async fn issue(&self, subject: &Subject, _device: &Device, trace: &Trace) -> Result<Grant> {
        let generation = self.generation(subject.id, trace).await?;
        self.tokens.issue(subject, generation, trace)
    }

    async fn identify(&self, credentials: &Credentials, trace: &Trace) -> Result<Option<Identity>> {
        let Some(checked) = self.tokens.check(credentials, trace) else { return Ok(None) };
        let present = self.generation(checked.identity.subject.id, trace).await?;
        trace.server_holds(|| {
            move || HeldData {
                title: "One number for the user, none for the login".into(),
                text: format!("generation {}", present.unwrap_or_default()),
                bytes: Some(size_of::<i64>()),
            }
        });
        if present.is_none() || present != checked.generation {
            trace.refused("the token is of an earlier generation: every login of the user was revoked since");
            return Ok(None);
        }
        Ok(Some(checked.identity))
    }

    /// One number cannot revoke one login: whatever the scope, every login of the user is revoked.
    async fn revoke(&self, who: &Identity, _scope: RevokeScope, trace: &Trace) -> Result<Effect> {
        let words = |_: &_| format!("{}: UPDATE the user's generation, plus one", self.users.store());
        trace.timed(StepKind::Database, words, self.users.raise_generation(who.subject.id)).await?;
        Ok(Effect::Now)
    }

    /// Signs the next generation, whichever the database has by then: of two raises at once neither leaves a login.
    async fn replace(
        &self,
        who: &Identity,
        credentials: &Credentials,
        _device: &Device,
        trace: &Trace,
    ) -> Result<Option<Grant>> {
        let next = self.tokens.next_generation(credentials, trace);
        self.revoke(who, RevokeScope::Everywhere, trace).await?;
        if next.is_none() || self.generation(who.subject.id, trace).await? != next {
            trace.refused("another request revoked the login meanwhile");
            return Ok(None);
        }
        self.tokens.issue(&who.subject, next, trace).map(Some)
    }

    async fn footprint(&self, _who: &Identity) -> Result<Footprint> {
        Ok(Footprint { user: size_of::<i64>() as u64, how: "one number in the user's row", ..Footprint::default() })
    }
}

fn describe(keys: &Keys) -> Description {
    const ALL: &str = "Revokes every login of yours under this mount at once, this one and all others: one number stands \
        for all of them.";
    Description {
        slug: "jwt-generation",
        kind: CredentialKind::Token,
        promise: Promise::Immediate,
        backend: Backend::Sql,
        shared: true,
        signed_with: Some(keys.algorithm().name()),
        upkeep: None,
        max_copies: None,
        transport: TRANSPORT,
        revokes_single: false,
        lists_logins: false,
        texts: Texts {
            label: "JWT with a generation",
            summary: "A signed token carries the user's generation. Every check compares it with the one in the SQL \
                database.",
            revocation:
                "The next request, on every node. A log out revokes all logins of the user: one number stands for \
                all of them."
                    .to_owned(),
            store: "the SQL database",
            browser_holds: BROWSER_HOLDS,
            server_holds: "One number for each user, whatever the number of logins.",
            notice: Some(
                "Here a log out revokes every login of the user, on every device. A log in over an old login revokes \
                none, for the same reason."
                    .to_owned(),
            ),
            devices: "The server keeps one number for a user, and no list of tokens. It can revoke all logins by raising \
                the number, and cannot tell how many those were.",
            logout: ALL,
            logout_everywhere: ALL,
            password_change: "Revokes every other login of yours under this mount at once.",
            gives_up: "Every check reads the SQL database, and a log out revokes every login of the user.",
        },
    }
}
