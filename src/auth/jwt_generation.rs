//! Signed tokens that carry the user's generation: raising it ends every login of the user at once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::jwt::{Tokens, describe};
use super::{
    AuthStrategy, Description, Device, Effect, Grant, Identity, Keys, Login, Need, Presented, Promise, Reach, Result,
    Stored, Subject, UserId,
};
use crate::clock::Clock;
use crate::store::users::Users;
use crate::trace::{Held, StepKind, Trace};

/// `jwt`, and one number for each user in the SQL database that is compared at every request.
pub struct JwtGenerationStrategy {
    description: Description,
    tokens: Tokens,
    users: Users,
}

impl JwtGenerationStrategy {
    /// Tokens that live for `life`, checked against the generations of these users.
    pub fn new(keys: Arc<Keys>, users: Users, life: Duration, clock: Clock) -> Self {
        let description = describe_generation(&keys);
        let tokens = Tokens::new(keys, description.slug, life, clock);
        Self { description, tokens, users }
    }

    /// The user's generation now; `None` for a user that is not there.
    async fn generation(&self, user: UserId, trace: &Trace) -> Result<Option<i64>> {
        let timer = trace.timer();
        let generation = self.users.generation(user).await;
        trace.step(StepKind::Database, timer, || format!("{}: SELECT the user's generation", self.users.store()));
        Ok(generation?)
    }
}

#[async_trait]
impl AuthStrategy for JwtGenerationStrategy {
    fn describe(&self) -> &Description {
        &self.description
    }

    /// The generation is read before the token is signed: a log out in between ends this login too.
    async fn issue(&self, subject: &Subject, _device: &Device, trace: &Trace) -> Result<Grant> {
        let generation = self.generation(subject.id, trace).await?;
        self.tokens.issue(subject, generation, trace)
    }

    async fn identify(&self, presented: &Presented, trace: &Trace) -> Result<Option<Identity>> {
        let Some(checked) = self.tokens.check(presented, trace) else { return Ok(None) };
        let now = self.generation(checked.identity.subject.id, trace).await?;
        trace.server_holds(|| {
            move || Held {
                title: "One number for the user, none for the login".into(),
                text: format!("generation {}", now.unwrap_or_default()),
                bytes: Some(size_of::<i64>()),
            }
        });
        if now.is_none() || now != checked.generation {
            trace.refused("the token is of an earlier generation: every login of the user was ended since");
            return Ok(None);
        }
        Ok(Some(checked.identity))
    }

    /// One number cannot end one login: whatever was asked for, every login of the user ends.
    async fn revoke(&self, who: &Identity, _reach: Reach, trace: &Trace) -> Result<Effect> {
        let timer = trace.timer();
        let raised = self.users.raise_generation(who.subject.id).await;
        trace.step(StepKind::Database, timer, || {
            format!("{}: UPDATE the user's generation, plus one", self.users.store())
        });
        raised?;
        Ok(Effect::Now)
    }

    async fn logins(&self, _user: UserId, _trace: &Trace) -> Result<Option<Vec<Login>>> {
        Ok(None)
    }

    async fn stored(&self, _who: &Identity) -> Result<Stored> {
        Ok(Stored { user: size_of::<i64>() as u64, how: "one number in the user's row", ..Stored::default() })
    }
}

fn describe_generation(keys: &Keys) -> Description {
    const ALL: &str = "Ends every login of yours under this mount at once, this one and all others: there is one number \
        for all of them.";
    Description {
        label: "JWT with a generation",
        summary: "A signed token carries the user's generation; the SQL database has the present one, and every request \
            compares them.",
        revocation:
            "The next request, on every node. It can only end all logins of a user at once: a log out does that."
                .to_owned(),
        promise: Promise::Immediate,
        needs: Need::Sql,
        store: "the SQL database",
        server_holds: "One number for each user, whatever the number of logins.",
        notice: Some("Here a log out ends every login of the user, on every device.".to_owned()),
        unknown_logins: Some(
            "Nobody can know. The server keeps one number for a user, not a list of tokens. It can end all logins by \
             raising the number, and it cannot tell how many those were.",
        ),
        logout: ALL,
        logout_everywhere: ALL,
        password_change: "Every other login of yours under this mount ends at once.",
        gives_up: "Every request asks the SQL database, and a log out ends every login of the user.",
        ..describe("jwt-generation", keys)
    }
}
