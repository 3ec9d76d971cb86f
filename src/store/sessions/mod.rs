//! Session stores: where the records behind opaque session ids live.
//!
//! Each is a [`SessionStore`] of tower-sessions, and keeps promises that this trait leaves open. The store holds an id only
//! as its hash. `create` never overwrites a record, and `save` never brings one back. An index lists the logins of a user,
//! and changes in the same atomic step as the record.
//!
//! `memory.rs`, `sql.rs`, `redis.rs` and `tracked.rs` are the four stores. `scripts.rs` holds the scripts of the two on
//! Redis, `recovery.rs` deletes revoked sessions from a Redis that restored a snapshot.

mod memory;
mod recovery;
mod redis;
mod scripts;
mod sql;
mod tracked;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;

pub use self::memory::MemorySessions;
pub use self::redis::RedisSessions;
pub use self::sql::SqlSessions;
pub use self::tracked::{MAX_COPIES, TrackedSessions};
use super::{Footprint, StoreError};
use crate::clock::Timestamp;
use crate::identity::{LoginId, Role, UserId};
use crate::trace::StepKind;

/// The key of [`LoginRecord`] in the data of a tower-sessions [`Record`].
pub const LOGIN_KEY: &str = "login";

/// What the server remembers of a login. Stored names are short: every record holds them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRecord {
    #[serde(rename = "u")]
    pub user: UserId,
    #[serde(rename = "n")]
    pub name: CompactString,
    #[serde(rename = "r")]
    pub role: Role,
    #[serde(rename = "i")]
    pub issued: Timestamp,
    /// When a request last wrote the record: at most a tenth of the idle limit before the last request.
    #[serde(rename = "s")]
    pub seen: Timestamp,
    /// When it expires without another request: at the idle limit, or at the absolute one if that is sooner.
    #[serde(rename = "e")]
    pub expires: Timestamp,
    /// When it expires in any case.
    #[serde(rename = "a")]
    pub absolute: Timestamp,
    /// The browser, in a few words.
    #[serde(rename = "d")]
    pub device: CompactString,
    /// The IP address that logged in.
    #[serde(rename = "p")]
    pub address: CompactString,
}

impl LoginRecord {
    /// Reads it from a record of tower-sessions.
    pub fn from_record(record: &Record) -> Result<Self, session_store::Error> {
        let value = record.data.get(LOGIN_KEY).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| session_store::Error::Decode(error.to_string()))
    }

    /// Makes a record of tower-sessions.
    fn to_record(&self, id: &Id) -> Result<Record, session_store::Error> {
        let expiry_date = self.expires.to_date_time();
        let value = serde_json::to_value(self).map_err(|error| session_store::Error::Encode(error.to_string()))?;
        Ok(Record { id: *id, data: HashMap::from([(LOGIN_KEY.to_owned(), value)]), expiry_date })
    }

    /// Encodes it as JSON, for a store.
    fn encode(&self) -> Result<String, session_store::Error> {
        serde_json::to_string(self).map_err(|error| session_store::Error::Encode(error.to_string()))
    }

    fn decode(text: &[u8]) -> Result<Self, session_store::Error> {
        serde_json::from_slice(text).map_err(|error| session_store::Error::Decode(error.to_string()))
    }
}

/// Names each step of a store in words, for the trace.
#[derive(Debug)]
pub struct StepNames {
    /// The store's name in an error.
    pub name: &'static str,
    /// Where the records are, for pages.
    pub held_in: &'static str,
    pub kind: StepKind,
    /// A hit in the memory of this process, under a store that keeps copies.
    pub recall: Option<&'static str>,
    pub load: &'static str,
    pub create: &'static str,
    /// Slides the idle limit.
    pub touch: &'static str,
    pub revoke: &'static str,
    pub revoke_all: &'static str,
    pub list: &'static str,
}

/// What a login needs beyond [`SessionStore`]: reads without copying, a list for each user, and revokes.
#[async_trait]
pub trait LoginStore: SessionStore {
    /// Names its steps in words.
    fn step_names(&self) -> &'static StepNames;

    /// The copy in this process, if there is one and it may be used now. The caller checks the limits of the record.
    fn recall(&self, _login: &LoginId) -> Option<Arc<LoginRecord>> {
        None
    }

    /// Reads the record of a login, unless it has expired. [`SessionStore::load`] reads the same, and copies it three
    /// times.
    async fn find(&self, login: &LoginId) -> session_store::Result<Option<Arc<LoginRecord>>>;

    /// Replaces the record of an id. False if there is none: the login was revoked meanwhile, and stays revoked.
    async fn touch(&self, id: &Id, record: &LoginRecord) -> Result<bool, StoreError>;

    /// Lists the user's logins that have not expired.
    async fn of_user(&self, user: UserId) -> Result<Vec<(LoginId, LoginRecord)>, StoreError>;

    /// Revokes a login of this user. Nothing happens to a login of somebody else. May be called again. Of two requests
    /// that revoke the same login, one gets true; false if there was nothing to revoke.
    async fn revoke(&self, user: UserId, login: &LoginId) -> Result<bool, StoreError>;

    /// Revokes every login of this user, or every one but `kept`. May be called again.
    async fn revoke_all_but(&self, user: UserId, kept: Option<&LoginId>) -> Result<(), StoreError>;

    /// Revokes every login of this user. May be called again.
    async fn revoke_all(&self, user: UserId) -> Result<(), StoreError> {
        self.revoke_all_but(user, None).await
    }

    /// Measures what the store keeps of a login.
    async fn footprint(&self, user: UserId, login: &LoginId) -> Result<Footprint, StoreError>;
}

/// Turns an error into one of [`SessionStore`], whose errors are text.
fn backend(error: &StoreError) -> session_store::Error {
    session_store::Error::Backend(error.detail().to_owned())
}

/// The error of a `save` without a record to replace: no success, and the login stays revoked.
fn not_saved() -> session_store::Error {
    session_store::Error::Backend("the session was revoked or has expired; nothing was saved".to_owned())
}
