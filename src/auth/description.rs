//! What differs between strategies, as data: what one promises, which store it needs, how its credential travels.

use std::time::Duration;

use serde::Serialize;

/// What a strategy promises about a login that was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Promise {
    /// The next request is refused, on every node that shares the store.
    Immediate,
    /// The next request is refused on the node that revoked it; other nodes are told, and ask when they are not.
    Push {
        /// The longest that another node can accept it, in milliseconds.
        bound_ms: u64,
    },
    /// It is accepted until it expires.
    Expiry {
        /// The longest that this can be, in milliseconds.
        bound_ms: u64,
    },
}

/// The store that a strategy cannot work without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// None.
    Nothing,
    /// Redis.
    Redis,
    /// The SQL database.
    Sql,
}

/// How the credential travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Carrier {
    /// The cookie's name, without the prefix that https adds.
    pub cookie: &'static str,
    /// The name of the cookie that renews, if there is one.
    pub renewal: Option<&'static str>,
    /// Whether it is taken from `Authorization: Bearer` too.
    pub bearer: bool,
}

/// What goes to a store from time to time, at the first request after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Upkeep {
    /// Its name in the plural.
    pub what: &'static str,
    /// The while, in milliseconds.
    pub every_ms: u64,
    /// Whether it is one for all logins of a user, and not one for each.
    pub by_user: bool,
    /// Calls to the store for one.
    pub calls: u32,
}

impl Upkeep {
    /// One for each login, of one call.
    pub(super) fn of_login(what: &'static str, every: Duration) -> Self {
        Self { what, every_ms: millis(every), by_user: false, calls: 1 }
    }
}

/// Milliseconds, as a description counts.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Everything that pages, labs and commands need to know of a strategy.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// Its name in paths and reports.
    pub slug: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// One sentence: how a login is remembered.
    pub summary: &'static str,
    /// One sentence: when a revoke takes effect.
    pub revocation: String,
    /// What it promises about a revoked login.
    pub promise: Promise,
    /// The store it cannot work without.
    pub needs: Need,
    /// Where its logins live.
    pub store: &'static str,
    /// Whether every node knows a login, and not only the one that opened it.
    pub shared: bool,
    /// The algorithm of its tokens, if it signs any.
    pub signed_with: Option<&'static str>,
    /// What goes to the store from time to time, beside the checks.
    pub upkeep: Option<Upkeep>,
    /// How many logins each node keeps a copy of at the most, if any. A write of a login evicts its copies.
    pub copies: Option<usize>,
    /// How the credential travels.
    pub carrier: Carrier,
    /// One sentence: what the browser keeps.
    pub browser_holds: &'static str,
    /// One sentence: what the server keeps.
    pub server_holds: &'static str,
    /// Something that every page of the mount must say.
    pub notice: Option<String>,
    /// Whether one login can be ended while the user's others go on.
    pub ends_single: bool,
    /// Why nobody can list the logins of a user, if nobody can.
    pub unknown_logins: Option<&'static str>,
    /// What a log out does here.
    pub logout: &'static str,
    /// What a log out everywhere does here.
    pub logout_everywhere: &'static str,
    /// What a password change does to the other logins here.
    pub password_change: &'static str,
    /// One sentence: what one gives up by choosing it.
    pub gives_up: &'static str,
}

impl Description {
    /// What decides about its figures and differs from server to server: the algorithm, and the store it needs.
    pub fn setup(&self) -> String {
        let store = match self.needs {
            Need::Nothing => "no store",
            Need::Redis => "Redis",
            Need::Sql => "the SQL database",
        };
        self.signed_with.map_or_else(|| store.to_owned(), |algorithm| format!("{algorithm}, {store}"))
    }
}
