//! `jwt-refresh`: an access token of a short life, and a single-use refresh token that fetches the next one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use super::description::millis;
use super::jwt::{Tokens, describe};
use super::{
    AuthStrategy, Carrier, Description, Device, Effect, Grant, Identity, Keys, Login, LoginId, Need, Presented,
    Promise, Reach, Renewal, Result, Stored, Subject, Upkeep, UserId,
};
use crate::clock::{Clock, Timestamp};
use crate::store::refresh::{Exchange, Family, RefreshTokens};
use crate::trace::{Held, StepKind, Trace};

/// A renewal is a transaction: BEGIN, UPDATE and SELECT the token, SELECT the family and the user, INSERT the successor,
/// DELETE older ones, UPDATE the family, COMMIT.
const RENEWAL_CALLS: u32 = 9;

/// Access tokens that nobody can revoke, but that do not live long; and families of refresh tokens, that can be ended.
pub struct JwtRefreshStrategy {
    description: Description,
    tokens: Tokens,
    families: RefreshTokens,
    login_life: Duration,
    clock: Clock,
}

impl JwtRefreshStrategy {
    /// Access tokens that live for `access_life`, logins for `login_life`.
    pub fn new(
        keys: Arc<Keys>,
        families: RefreshTokens,
        access_life: Duration,
        login_life: Duration,
        clock: Clock,
    ) -> Self {
        let description = describe_refresh(&keys, access_life);
        let tokens = Tokens::new(keys, description.slug, access_life, clock.clone());
        Self { description, tokens, families, login_life, clock }
    }

    /// `now` is when the login was last known to be alive: the token lives from then.
    fn grant(
        &self,
        subject: &Subject,
        family: &Family,
        refresh: SecretString,
        now: Timestamp,
        trace: &Trace,
    ) -> Result<Grant> {
        let mut grant = self.tokens.issue_in(subject, &family.login, now, trace)?;
        grant.renewal = Some(Renewal { credential: refresh, max_age: family.expires.since(now) });
        Ok(grant)
    }
}

#[async_trait]
impl AuthStrategy for JwtRefreshStrategy {
    fn describe(&self) -> &Description {
        &self.description
    }

    async fn issue(&self, subject: &Subject, device: &Device, trace: &Trace) -> Result<Grant> {
        let now = self.clock.now();
        let family = Family {
            login: LoginId::random(),
            user: subject.id,
            device: device.label.to_string(),
            address: device.address.to_string(),
            issued: now,
            seen: now,
            expires: now + self.login_life,
        };
        let timer = trace.timer();
        let refresh = self.families.open(&family).await;
        trace.step(StepKind::Database, timer, || {
            format!("{}: INSERT the family and the hash of its first token", self.families.store())
        });
        self.grant(subject, &family, refresh?, now, trace)
    }

    async fn identify(&self, presented: &Presented, trace: &Trace) -> Result<Option<Identity>> {
        let checked = self.tokens.check(presented, trace);
        trace.server_holds(|| {
            || Held {
                title: "A family of refresh tokens".into(),
                text:
                    "whose it is, from where, until when, and the hashes of the newest token and of the one before; an \
                older one that comes back still proves whose it was, so that a copy is recognised"
                        .to_owned(),
                bytes: None,
            }
        });
        Ok(checked.map(|checked| checked.identity))
    }

    async fn renew(&self, presented: &Presented, trace: &Trace) -> Result<Option<Grant>> {
        let Some(token) = presented.renewal() else { return Ok(None) };
        let now = self.clock.now();
        let timer = trace.timer();
        let exchange = self.families.exchange(&SecretString::from(token)).await;
        trace.step(StepKind::Database, timer, || {
            format!("{}: exchange the refresh token for its successor", self.families.store())
        });
        let reason = match exchange? {
            Exchange::Renewed(family, user, successor) => {
                let subject = Subject { id: user.id, name: user.name.into(), role: user.role };
                return self.grant(&subject, &family, successor, now, trace).map(Some);
            }
            Exchange::Unknown => "the refresh token was never issued, or the login has expired",
            Exchange::Ended => "the login was ended",
            Exchange::Reused => {
                tracing::warn!("a used refresh token came back: its whole family was ended");
                "the refresh token was used before: somebody has a copy, so the whole login was ended"
            }
        };
        trace.refused(reason);
        Ok(None)
    }

    async fn revoke(&self, who: &Identity, reach: Reach, trace: &Trace) -> Result<Effect> {
        let user = who.subject.id;
        let timer = trace.timer();
        let ended = match &reach {
            Reach::This => self.families.end(user, Some(&who.login)).await,
            Reach::Other(login) => self.families.end(user, Some(login)).await,
            Reach::Everywhere => self.families.end(user, None).await,
        };
        trace.step(StepKind::Database, timer, || format!("{}: UPDATE the family: ended", self.families.store()));
        ended?;
        Ok(Effect::At(match reach {
            Reach::This => who.expires_at,
            Reach::Other(_) | Reach::Everywhere => self.tokens.last_end(),
        }))
    }

    async fn logins(&self, user: UserId, trace: &Trace) -> Result<Option<Vec<Login>>> {
        let timer = trace.timer();
        let families = self.families.of_user(user).await;
        trace.step(StepKind::Database, timer, || format!("{}: SELECT the user's families", self.families.store()));
        let mut logins: Vec<_> = families?.into_iter().map(login).collect();
        logins.sort_by_key(|login| std::cmp::Reverse(login.issued_at));
        Ok(Some(logins))
    }

    async fn stored(&self, _who: &Identity) -> Result<Stored> {
        Ok(Stored {
            rows: true,
            how: "rows and index entries of the family, its newest token and the one before, in the SQL database",
            ..Stored::default()
        })
    }
}

fn login(family: Family) -> Login {
    Login {
        id: family.login,
        device: Device { label: family.device.into(), address: family.address.into() },
        issued_at: family.issued,
        seen_at: family.seen,
        expires_at: family.expires,
    }
}

fn describe_refresh(keys: &Keys, life: Duration) -> Description {
    let shown = humantime::format_duration(life);
    let common = describe("jwt-refresh", keys);
    Description {
        label: "JWT with a refresh token",
        summary: "A signed token of a short life, checked without asking anybody, and a single-use refresh token that \
            fetches the next one.",
        revocation: format!(
            "When the access token expires: at most {shown} later. No new one is fetched from then on."
        ),
        promise: Promise::Expiry { bound_ms: millis(life) },
        needs: Need::Sql,
        upkeep: Some(Upkeep { calls: RENEWAL_CALLS, ..Upkeep::of_login("renewals", life) }),
        store: "the SQL database",
        carrier: Carrier { renewal: Some("refresh_token_cookie"), ..common.carrier },
        browser_holds: "The login, signed, for a short time; and 128 secret bits that fetch the next one, once.",
        server_holds: "The family of the login's refresh tokens, as hashes.",
        ends_single: true,
        logout: "Ends the family: no new access token is fetched. A copy of the one in use is accepted until it expires.",
        logout_everywhere: "Ends every family of yours under this mount. Access tokens in use are accepted until they \
            expire.",
        password_change: "Every other login of yours under this mount ends when its access token expires.",
        gives_up: "A copy of the access token is good until its short life is over; the browser must renew again and again.",
        ..common
    }
}
