//! `jwt-refresh`: an access token with a short life, and a single-use refresh token that fetches the next one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use super::tokens::Tokens;
use super::{Keys, TRANSPORT};
use crate::auth::{
    AuthStrategy, Backend, CredentialKind, Credentials, Description, Effect, Grant, Identity, Login, Promise,
    RenewOutcome, Renewal, Result, RevokeScope, Texts, Transport, Upkeep,
};
use crate::clock::{Clock, Timestamp, whole_millis};
use crate::identity::{ClientOrigin, Device, LoginId, Subject, UserId};
use crate::store::Footprint;
use crate::store::refresh::{Exchange, Family, RefreshToken, RefreshTokens};
use crate::trace::{HeldData, StepKind, Trace};

/// A renewal is a SELECT of the family and a transaction: BEGIN, UPDATE the family, SELECT the user and the token, UPDATE the
/// token, DELETE older ones, INSERT the successor, COMMIT.
const RENEWAL_CALLS: u32 = 9;

/// Issues access tokens with a short life, which nobody can revoke, and families of refresh tokens, which a user can.
pub struct JwtRefreshStrategy {
    description: Description,
    tokens: Tokens,
    families: RefreshTokens,
    login_life: Duration,
    clock: Clock,
}

impl JwtRefreshStrategy {
    /// Access tokens live for `access_life`, logins for `login_life`.
    pub fn new(
        keys: Arc<Keys>,
        families: RefreshTokens,
        access_life: Duration,
        login_life: Duration,
        clock: Clock,
    ) -> Self {
        let description = describe(&keys, access_life);
        let tokens = Tokens::new(keys, description.slug, access_life, clock.clone());
        Self { description, tokens, families, login_life, clock }
    }

    /// `now` is when the database last confirmed the login: the life of the token starts there.
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

    /// Names a step: the database, and the statement.
    fn sql<T>(&self, statement: &'static str) -> impl FnOnce(&T) -> String {
        let store = self.families.store();
        move |_| format!("{store}: {statement}")
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
        let words = self.sql("INSERT the family and the hash of its first token");
        let refresh = trace.timed(StepKind::Database, words, self.families.open(&family)).await?;
        self.grant(subject, &family, refresh, now, trace)
    }

    async fn identify(&self, credentials: &Credentials, trace: &Trace) -> Result<Option<Identity>> {
        let checked = self.tokens.check(credentials, trace);
        trace.server_holds(|| {
            || HeldData {
                title: "A family of refresh tokens".into(),
                text:
                    "whose it is, from where, until when, and the hashes of the newest token, of the one before, and of \
                       the client that used that one. An older token still proves its family: so the server recognises a \
                       copy"
                        .to_owned(),
                bytes: None,
            }
        });
        Ok(checked.map(|checked| checked.identity))
    }

    async fn renew(&self, credentials: &Credentials, client: &ClientOrigin, trace: &Trace) -> Result<RenewOutcome> {
        let Some(text) = credentials.renewal() else { return Ok(RenewOutcome::Refused) };
        let Some(token) = RefreshToken::parse(text) else {
            trace.refused("the refresh token does not have the form of one");
            return Ok(RenewOutcome::Refused);
        };
        let now = self.clock.now();
        let words = self.sql("exchange the refresh token for its successor");
        let exchanging = self.families.exchange(&token, client);
        match trace.timed(StepKind::Database, words, exchanging).await? {
            Exchange::Renewed(family, user, successor) => {
                let subject = Subject { id: user.id, name: user.name.into(), role: user.role };
                let grant = self.grant(&subject, &family, successor, now, trace)?;
                return Ok(RenewOutcome::Renewed(Box::new(grant)));
            }
            Exchange::Unknown => trace.refused("the refresh token was never issued, or the login has expired"),
            Exchange::Revoked => trace.refused("the login was revoked"),
            Exchange::Reused(family) => {
                trace
                    .refused("the refresh token was used before: somebody has a copy, so the server revoked the login");
                return Ok(RenewOutcome::Reused { user: family.user, login: family.login });
            }
        }
        Ok(RenewOutcome::Refused)
    }

    async fn revoke(&self, who: &Identity, scope: RevokeScope, trace: &Trace) -> Result<Effect> {
        let (words, login) = (self.sql("UPDATE the family: revoked"), scope.single(&who.login));
        trace.timed(StepKind::Database, words, self.families.revoke(who.subject.id, login)).await?;
        Ok(Effect::At(match scope {
            RevokeScope::This => who.expires_at,
            RevokeScope::Other(_) | RevokeScope::Everywhere => self.tokens.last_expiry(),
        }))
    }

    /// Opens the next login while the old one stands, and revokes that one last. Whoever revokes the old one before that
    /// makes the replacement void; whoever revokes all logins after that finds the new one.
    async fn replace(
        &self,
        who: &Identity,
        _credentials: &Credentials,
        device: &Device,
        trace: &Trace,
    ) -> Result<Option<Grant>> {
        let user = who.subject.id;
        let words = self.sql("UPDATE the other families: revoked");
        trace.timed(StepKind::Database, words, self.families.revoke_others(user, &who.login)).await?;
        let grant = self.issue(&who.subject, device, trace).await?;
        let words = self.sql("UPDATE the family, if it still stands: revoked");
        if trace.timed(StepKind::Database, words, self.families.revoke(user, Some(&who.login))).await? {
            return Ok(Some(grant));
        }
        trace.refused("another request revoked the login meanwhile");
        self.revoke(&grant.identity, RevokeScope::This, trace).await?;
        Ok(None)
    }

    async fn logins(&self, user: UserId, trace: &Trace) -> Result<Option<Vec<Login>>> {
        let words = self.sql("SELECT the user's families");
        let families = trace.timed(StepKind::Database, words, self.families.of_user(user)).await?;
        let mut logins: Vec<_> = families.into_iter().map(login).collect();
        logins.sort_by_key(|login| std::cmp::Reverse(login.issued_at));
        Ok(Some(logins))
    }

    async fn footprint(&self, _who: &Identity) -> Result<Footprint> {
        Ok(Footprint {
            rows: true,
            how: "rows and index entries of the family, its newest token and the one before, in the SQL database",
            ..Footprint::default()
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

fn describe(keys: &Keys, life: Duration) -> Description {
    let shown = humantime::format_duration(life);
    Description {
        slug: "jwt-refresh",
        kind: CredentialKind::Token,
        promise: Promise::Expiry { bound_ms: whole_millis(life) },
        backend: Backend::Sql,
        shared: true,
        signed_with: Some(keys.algorithm().name()),
        upkeep: Some(Upkeep { calls: RENEWAL_CALLS, ..Upkeep::of_login("renewals", life) }),
        max_copies: None,
        transport: Transport { refresh_cookie: Some("refresh_token_cookie"), ..TRANSPORT },
        revokes_single: true,
        lists_logins: true,
        texts: Texts {
            label: "JWT with a refresh token",
            summary: "A signed token with a short life, which the server checks without reading a store. A single-use \
                refresh token fetches the next one.",
            revocation: format!(
                "When the access token expires: at most {shown} later. The refresh token fetches no new one from then on."
            ),
            store: "the SQL database",
            browser_holds: "The login, signed, for a short time; and 128 secret bits that fetch the next token, once.",
            server_holds: "The family of the login's refresh tokens, as hashes, and a hash of the client that renewed last.",
            notice: None,
            devices: "The server keeps a family of refresh tokens for each login, so it can list them and revoke one.",
            logout: "Revokes the family: the refresh token fetches nothing more. The server accepts a copy of the access \
                token until it expires.",
            logout_everywhere: "Revokes every family of yours under this mount. The server accepts access tokens in use \
                until they expire.",
            password_change: "Revokes every other login of yours under this mount when its access token expires.",
            gives_up: "The server accepts a copy of the access token until it expires, and the browser must renew again and \
                again. For 10 s after a renewal the server cannot tell a thief on your network, with your browser's name, \
                from another tab of yours.",
        },
    }
}
