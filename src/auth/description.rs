//! What differs between strategies, as data: values that steer pages, labs and commands, and texts for people.

use std::time::Duration;

use serde::Serialize;

use crate::clock::whole_millis;

/// What a strategy promises about a login that was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Promise {
    /// Every node that shares the store refuses the next request.
    Immediate,
    /// The node that revoked refuses the next request. Redis pushes the revocation to the others.
    Push {
        /// The longest that another node accepts the login when no push arrives, in milliseconds.
        bound_ms: u64,
    },
    /// Every node accepts the login until it expires.
    Expiry {
        /// The longest that this can be, in milliseconds.
        bound_ms: u64,
    },
}

impl Promise {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Push { .. } => "push",
            Self::Expiry { .. } => "expiry",
        }
    }

    /// The longest that another node accepts a revoked login, in milliseconds.
    pub fn bound_ms(self) -> u64 {
        match self {
            Self::Immediate => 0,
            Self::Push { bound_ms } | Self::Expiry { bound_ms } => bound_ms,
        }
    }

    /// Whether a revoke changes nothing: only expiry ends a login.
    pub fn only_expires(self) -> bool {
        matches!(self, Self::Expiry { .. })
    }
}

/// The store that a strategy cannot work without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    None,
    Redis,
    Sql,
}

/// What the browser holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CredentialKind {
    /// A signed token: it names its user.
    Token,
    /// An opaque session id: the record on the server names the user.
    Session,
}

/// How the credential travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Transport {
    /// The cookie's name, without the prefix that https adds.
    pub cookie: &'static str,
    /// The name of the cookie that fetches the next credential, under a strategy that has one.
    pub refresh_cookie: Option<&'static str>,
    /// Whether the server also takes the credential from `Authorization: Bearer` (RFC 6750).
    pub bearer: bool,
}

/// Store calls beside those of the checks: the first request after [`Upkeep::every_ms`] makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Upkeep {
    /// Its name in the plural.
    pub what: &'static str,
    /// In milliseconds.
    pub every_ms: u64,
    /// Whether all logins of a user share one upkeep. Otherwise each login has its own.
    pub by_user: bool,
    /// Store calls of one upkeep. The contract suite counts them.
    pub calls: u32,
}

impl Upkeep {
    /// One store call for each login.
    pub(super) fn of_login(what: &'static str, every: Duration) -> Self {
        Self { what, every_ms: whole_millis(every), by_user: false, calls: 1 }
    }
}

/// Everything that pages, labs and commands need to know of a strategy.
///
/// The fields here steer behaviour. [`Texts`] are words for people, and steer nothing.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// Its name in paths and reports.
    pub slug: &'static str,
    pub kind: CredentialKind,
    pub promise: Promise,
    pub backend: Backend,
    /// Whether every node knows a login. Otherwise only the node that opened it does.
    pub shared: bool,
    /// The algorithm of its tokens, if it signs any.
    pub signed_with: Option<&'static str>,
    pub upkeep: Option<Upkeep>,
    /// The most logins that each node keeps a copy of, if it keeps any. A write to a login evicts its copies.
    pub max_copies: Option<usize>,
    pub transport: Transport,
    /// Whether one login can be revoked without the user's others.
    pub revokes_single: bool,
    /// Whether the server can list the logins of a user.
    pub lists_logins: bool,
    #[serde(flatten)]
    pub texts: Texts,
}

impl Description {
    /// Names what the figures depend on beside the strategy: the algorithm and the store.
    pub fn setup(&self) -> String {
        let store = match self.backend {
            Backend::None => "no store",
            Backend::Redis => "Redis",
            Backend::Sql => "the SQL database",
        };
        self.signed_with.map_or_else(|| store.to_owned(), |algorithm| format!("{algorithm}, {store}"))
    }
}

/// What people read about a strategy. Every strategy writes every text: there is no default to forget one behind.
#[derive(Clone, Debug, Serialize)]
pub struct Texts {
    /// Its name for people.
    pub label: &'static str,
    /// One sentence: how it remembers a login.
    pub summary: &'static str,
    /// When a revoke takes effect.
    pub revocation: String,
    /// Where its logins live.
    pub store: &'static str,
    pub browser_holds: &'static str,
    pub server_holds: &'static str,
    /// A warning on every page of the mount.
    pub notice: Option<String>,
    /// What the list of devices shows, or why there is none.
    pub devices: &'static str,
    /// What a log out does.
    pub logout: &'static str,
    /// What a log out everywhere does.
    pub logout_everywhere: &'static str,
    /// What a password change does to the other logins.
    pub password_change: &'static str,
    /// One sentence: what one gives up by choosing it.
    pub gives_up: &'static str,
}
