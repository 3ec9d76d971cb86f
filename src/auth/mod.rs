//! HOW a login is remembered: [`AuthStrategy`] and the strategies that implement it.
//!
//! What differs between strategies is data that they return; nothing above this module asks for a strategy's name.

mod description;
mod jwt;
mod jwt_blocklist;
mod jwt_generation;
mod jwt_pushed;
mod jwt_refresh;
mod jwt_revocable;
mod session;
mod session_limits;
mod session_memory;
mod session_sql;
mod session_tracked;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use compact_str::CompactString;
use secrecy::SecretString;
use serde::Serialize;

pub use self::description::{Carrier, Description, Need, Promise, Upkeep};
pub use self::jwt::{JwtStrategy, Keys, KeysError, SigningAlgorithm};
pub use self::jwt_generation::JwtGenerationStrategy;
pub use self::jwt_refresh::JwtRefreshStrategy;
pub use self::jwt_revocable::RevocableJwtStrategy;
pub use self::session::SessionStrategy;
pub use self::session_limits::SessionLimits;
use crate::clock::Timestamp;
use crate::store::StoreError;
pub use crate::store::Stored;
pub use crate::store::sessions::LoginId;
pub use crate::store::users::{Role, UserId};
use crate::trace::Trace;

/// The system failed: neither yes nor no.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A token could not be signed.
    #[error("a token could not be signed: {0}")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

/// What a strategy's methods return.
pub type Result<T> = std::result::Result<T, Failure>;

/// A way to remember a login.
///
/// Three ideas hold for every implementation: what differs is returned as data; "cannot know" is a value; a failure of
/// the system is never a "no".
#[async_trait]
pub trait AuthStrategy: Send + Sync + 'static {
    /// What it is and what it promises.
    fn describe(&self) -> &Description;

    /// Opens a login, always under a fresh identifier: whatever the browser held before is not adopted
    /// (OWASP ASVS 5.0, 7.2.4).
    async fn issue(&self, subject: &Subject, device: &Device, trace: &Trace) -> Result<Grant>;

    /// Who asks. `None` for a credential that is absent, malformed, forged, expired or revoked, with the reason in the
    /// trace. `Err` is a failure of the system and lets nobody in and logs nobody out.
    async fn identify(&self, presented: &Presented, trace: &Trace) -> Result<Option<Identity>>;

    /// Exchanges a credential that is about to end, or has ended, for the next one. `None`: sign in again.
    async fn renew(&self, _presented: &Presented, _trace: &Trace) -> Result<Option<Grant>> {
        Ok(None)
    }

    /// Ends logins of the user behind `who`. May be called again. Tells when it takes effect; an `Err` means that
    /// nobody knows whether it was carried out.
    async fn revoke(&self, who: &Identity, reach: Reach, trace: &Trace) -> Result<Effect>;

    /// The logins of a user, the latest first. `None`: this strategy cannot know.
    async fn logins(&self, user: UserId, trace: &Trace) -> Result<Option<Vec<Login>>>;

    /// What the server keeps of a login that is open, weighed by the store that keeps it.
    async fn stored(&self, _who: &Identity) -> Result<Stored> {
        Ok(Stored { how: "nothing is stored of a login", ..Stored::default() })
    }
}

/// Who a login belongs to.
///
/// The texts here and in [`Device`] are compact strings: up to 24 bytes need no allocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// The user's number.
    pub id: UserId,
    /// The user's name.
    pub name: CompactString,
    /// What the user may do.
    pub role: Role,
}

/// Where a login was opened, as far as the request told. Shown on the list of devices, never trusted.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// The browser, in a few words.
    pub label: CompactString,
    /// The client's address.
    pub address: CompactString,
}

/// The credential of a request, as it came.
#[derive(Clone, Default)]
pub struct Presented {
    credential: Option<String>,
    renewal: Option<String>,
    passive: bool,
}

impl Presented {
    /// From a cookie's or a header's value.
    pub fn new(credential: Option<String>) -> Self {
        Self { credential, renewal: None, passive: false }
    }

    /// With the credential that renews, too.
    #[must_use]
    pub fn with_renewal(self, renewal: Option<String>) -> Self {
        Self { renewal, ..self }
    }

    /// The same, asked by a page that only sits open: it does not count as a visit and slides nothing.
    #[must_use]
    pub fn passive(&self) -> Self {
        Self { passive: true, ..self.clone() }
    }

    /// Whether it does not count as a visit.
    pub fn is_passive(&self) -> bool {
        self.passive
    }

    /// The credential that renews, if one came.
    pub fn renewal(&self) -> Option<&str> {
        self.renewal.as_deref()
    }

    /// The credential, if one came.
    pub fn credential(&self) -> Option<&str> {
        self.credential.as_deref()
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.credential.is_some() { "Presented(a credential)" } else { "Presented(nothing)" })
    }
}

/// A login that was proven by a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose it is.
    pub subject: Subject,
    /// Its public name.
    pub login: LoginId,
    /// When it was opened.
    pub issued_at: Timestamp,
    /// When it ends by itself, if nothing slides it.
    pub expires_at: Timestamp,
}

/// A login that was just opened.
#[derive(Debug)]
pub struct Grant {
    /// The login.
    pub identity: Identity,
    /// The credential for the browser to keep.
    pub credential: SecretString,
    /// How long the browser may keep it at the most.
    pub max_age: Duration,
    /// What fetches the next credential, where there is such a thing.
    pub renewal: Option<Renewal>,
}

/// A credential that is good for nothing but to fetch the next one.
#[derive(Debug)]
pub struct Renewal {
    /// For the browser to keep.
    pub credential: SecretString,
    /// How long at the most.
    pub max_age: Duration,
}

/// One row of the list of devices.
#[derive(Clone, Debug)]
pub struct Login {
    /// Its public name.
    pub id: LoginId,
    /// Where it was opened.
    pub device: Device,
    /// When it was opened.
    pub issued_at: Timestamp,
    /// When it was last used, as exactly as the store knows.
    pub seen_at: Timestamp,
    /// When it ends if it is not used again.
    pub expires_at: Timestamp,
}

/// Which logins a revoke is to end.
#[derive(Clone, Debug)]
pub enum Reach {
    /// The login that asks.
    This,
    /// Another login of the same user. A login of somebody else is left alone.
    Other(LoginId),
    /// Every login of the user.
    Everywhere,
}

/// When a revoke that was carried out takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The next request is refused.
    Now,
    /// The next request is refused on this node now, on every node within this long.
    Within(Duration),
    /// The credential in use is accepted until this moment.
    At(Timestamp),
}
