//! The contract that every strategy keeps: [`AuthStrategy`] and the values that it takes and returns.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Description, Promise};
use crate::clock::{Timestamp, whole_millis};
use crate::identity::{ClientOrigin, Device, LoginId, Subject, UserId};
use crate::store::{Footprint, StoreError};
use crate::trace::Trace;

/// The system failed: the login is neither accepted nor refused.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The user was disabled or deleted, and a store keeps the server from revoking the logins.
    #[error("the server could not revoke the logins of this disabled or deleted user yet")]
    RevokePending,
    /// A token could not be signed.
    #[error("a token could not be signed: {0}")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

/// What a strategy's methods return.
pub type Result<T> = std::result::Result<T, Failure>;

/// A way to remember a login.
///
/// Three ideas hold for every implementation. What differs between strategies is returned as data. "Cannot know" is a
/// value. A failure of the system never means "refused".
#[async_trait]
pub trait AuthStrategy: Send + Sync + 'static {
    /// Says what the strategy is and what it promises.
    fn describe(&self) -> &Description;

    /// Opens a login, always under a fresh identifier: whatever the browser held before is not adopted
    /// (OWASP ASVS 5.0, 7.2.4).
    async fn issue(&self, subject: &Subject, device: &Device, trace: &Trace) -> Result<Grant>;

    /// Authenticates a request: finds out from its credential which login it belongs to.
    ///
    /// `None` for a credential that is absent, malformed, forged, expired or revoked; the trace holds the reason. `Err` is
    /// a failure of the system: it lets nobody in and logs nobody out.
    async fn identify(&self, credentials: &Credentials, trace: &Trace) -> Result<Option<Identity>>;

    /// Exchanges a credential that has expired, or soon will, for the next one. `client` presents it.
    async fn renew(&self, _credentials: &Credentials, _client: &ClientOrigin, _trace: &Trace) -> Result<RenewOutcome> {
        Ok(RenewOutcome::Refused)
    }

    /// Revokes logins of the user behind `who`, and returns when that takes effect. May be called again. After an `Err` it
    /// is unknown whether the revoke was carried out.
    async fn revoke(&self, who: &Identity, scope: RevokeScope, trace: &Trace) -> Result<Effect>;

    /// Revokes every login of the user and opens one in place of `who`, to whom `credentials` belong: what a password
    /// change does (OWASP ASVS 5.0, 7.4.3). `None`, and no new login, if another request revoked `who` meanwhile.
    ///
    /// A revoke that was answered wins over a replacement under way, on every node. A strategy overrides this if its
    /// stores can tell. The others only look again whether the server still accepts the credentials.
    async fn replace(
        &self,
        who: &Identity,
        credentials: &Credentials,
        device: &Device,
        trace: &Trace,
    ) -> Result<Option<Grant>> {
        let still = self.identify(&credentials.passive(), trace).await?;
        self.revoke(who, RevokeScope::Everywhere, trace).await?;
        if still.is_none() {
            return Ok(None);
        }
        self.issue(&who.subject, device, trace).await.map(Some)
    }

    /// Lists the logins of a user, the latest first. `None`: this strategy cannot know them.
    async fn logins(&self, _user: UserId, _trace: &Trace) -> Result<Option<Vec<Login>>> {
        Ok(None)
    }

    /// Measures what the server keeps of an open login, in bytes.
    async fn footprint(&self, _who: &Identity) -> Result<Footprint> {
        Ok(Footprint { how: "the server stores nothing of a login", ..Footprint::default() })
    }
}

/// What a browser or a program presents with a request.
#[derive(Clone, Default)]
pub struct Credentials {
    credential: Option<String>,
    renewal: Option<String>,
    passive: bool,
}

impl Credentials {
    /// Takes a session id or a token, from a cookie or a header.
    pub fn new(credential: Option<String>) -> Self {
        Self { credential, renewal: None, passive: false }
    }

    /// Adds the refresh token, which only fetches the next credential.
    #[must_use]
    pub fn with_renewal(self, renewal: Option<String>) -> Self {
        Self { renewal, ..self }
    }

    /// The same credentials, sent by a page that only sits open: their check does not slide the idle limit.
    #[must_use]
    pub fn passive(&self) -> Self {
        Self { passive: true, ..self.clone() }
    }

    /// Whether the check must not slide the idle limit.
    pub fn is_passive(&self) -> bool {
        self.passive
    }

    /// The refresh token, if the request had one.
    pub fn renewal(&self) -> Option<&str> {
        self.renewal.as_deref()
    }

    /// The session id or token, if the request had one.
    pub fn credential(&self) -> Option<&str> {
        self.credential.as_deref()
    }
}

/// Shows no secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.credential.is_some() { "Credentials(one)" } else { "Credentials(none)" })
    }
}

/// A login that a credential proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub subject: Subject,
    pub login: LoginId,
    pub issued_at: Timestamp,
    /// When it expires, unless a later request slides that.
    pub expires_at: Timestamp,
}

/// A login that was just opened, and what the browser keeps of it.
#[derive(Debug)]
pub struct Grant {
    pub identity: Identity,
    pub credential: SecretString,
    /// The longest that the browser may keep the credential.
    pub max_age: Duration,
    /// The refresh token, under a strategy that renews.
    pub renewal: Option<Renewal>,
}

impl Grant {
    /// What a browser that keeps this grant presents with its next request.
    pub fn credentials(&self) -> Credentials {
        let renewal = self.renewal.as_ref().map(|renewal| renewal.credential.expose_secret().to_owned());
        Credentials::new(Some(self.credential.expose_secret().to_owned())).with_renewal(renewal)
    }
}

/// What came of a renewal.
#[derive(Debug)]
pub enum RenewOutcome {
    Renewed(Box<Grant>),
    /// The user has to log in again; the trace holds the reason.
    Refused,
    /// Somebody has a copy of a refresh token: the server has just revoked the login (RFC 9700, 4.14.2).
    Reused {
        user: UserId,
        login: LoginId,
    },
}

impl RenewOutcome {
    /// The renewed login, if there is one.
    pub fn grant(self) -> Option<Grant> {
        match self {
            Self::Renewed(grant) => Some(*grant),
            Self::Refused | Self::Reused { .. } => None,
        }
    }
}

/// A refresh token: it only fetches the next credential.
#[derive(Debug)]
pub struct Renewal {
    pub credential: SecretString,
    /// The longest that the browser may keep it.
    pub max_age: Duration,
}

/// One row of the list of devices.
#[derive(Clone, Debug)]
pub struct Login {
    pub id: LoginId,
    pub device: Device,
    pub issued_at: Timestamp,
    /// When it was last used, as exactly as the store knows.
    pub seen_at: Timestamp,
    /// When it expires if it is not used again.
    pub expires_at: Timestamp,
}

/// Which logins a revoke is for.
#[derive(Clone, Debug)]
pub enum RevokeScope {
    /// The login of the request.
    This,
    /// Another login of the same user. Nothing happens to a login of somebody else.
    Other(LoginId),
    /// Every login of the user.
    Everywhere,
}

impl RevokeScope {
    /// The single login that a revoke is for, where `this` is that of the request. `None`: every login.
    pub fn single<'a>(&'a self, this: &'a LoginId) -> Option<&'a LoginId> {
        match self {
            Self::This => Some(this),
            Self::Other(login) => Some(login),
            Self::Everywhere => None,
        }
    }
}

/// When a revoke takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The next request is refused.
    Now,
    /// This node refuses the next request, every other node refuses it after this long at the latest.
    Within(Duration),
    /// Every node accepts the credential until this moment.
    At(Timestamp),
}

impl Effect {
    /// When a revoke at `now` takes effect, if the strategy keeps its promise.
    pub fn promised(promise: Promise, now: Timestamp) -> Self {
        match promise {
            Promise::Immediate => Self::Now,
            Promise::Push { bound_ms } => Self::Within(Duration::from_millis(bound_ms)),
            Promise::Expiry { bound_ms } => Self::At(now + Duration::from_millis(bound_ms)),
        }
    }

    /// The longest time from `now` until every node refuses the login, in milliseconds.
    pub fn refused_within_ms(self, now: Timestamp) -> u64 {
        whole_millis(match self {
            Self::Now => Duration::ZERO,
            Self::Within(bound) => bound,
            Self::At(end) => end.since(now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revoke_takes_effect_as_the_strategy_promises() {
        let now = Timestamp::from_millis(1_800_000_000_000);
        let effect = |promise| Effect::promised(promise, now);
        assert_eq!(effect(Promise::Immediate), Effect::Now);
        assert_eq!(effect(Promise::Push { bound_ms: 500 }), Effect::Within(Duration::from_millis(500)));
        assert_eq!(effect(Promise::Expiry { bound_ms: 60_000 }), Effect::At(now + Duration::from_mins(1)));
    }
}
