//! Session stores: where the records of opaque session ids live.
//!
//! Each is a [`SessionStore`] of tower-sessions and keeps what that trait leaves open: an id is stored only as its
//! hash, `create` never overwrites, `save` never brings back, and the logins of a user are listed by an index that
//! changes in the same atomic step as the record.

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

/// What the server remembers of a login. Field names are short: they are stored once for every login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRecord {
    /// Whose login it is.
    #[serde(rename = "u")]
    pub user: UserId,
    /// The user's name.
    #[serde(rename = "n")]
    pub name: CompactString,
    /// The user's role.
    #[serde(rename = "r")]
    pub role: Role,
    /// When it was opened.
    #[serde(rename = "i")]
    pub issued: Timestamp,
    /// When it was last written as seen: at most a tenth of the idle limit behind the truth.
    #[serde(rename = "s")]
    pub seen: Timestamp,
    /// When it ends if nobody comes: the idle limit, or the absolute limit if that is sooner.
    #[serde(rename = "e")]
    pub expires: Timestamp,
    /// When it ends in any case.
    #[serde(rename = "a")]
    pub absolute: Timestamp,
    /// The browser, in a few words.
    #[serde(rename = "d")]
    pub device: CompactString,
    /// The address that logged in.
    #[serde(rename = "p")]
    pub address: CompactString,
}

impl LoginRecord {
    /// Reads it out of a session record.
    pub fn from_record(record: &Record) -> Result<Self, session_store::Error> {
        let value = record.data.get(LOGIN_KEY).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| session_store::Error::Decode(error.to_string()))
    }

    /// Makes a session record of it.
    fn to_record(&self, id: &Id) -> Result<Record, session_store::Error> {
        let expiry_date = self.expires.to_date_time();
        let value = serde_json::to_value(self).map_err(|error| session_store::Error::Encode(error.to_string()))?;
        Ok(Record { id: *id, data: HashMap::from([(LOGIN_KEY.to_owned(), value)]), expiry_date })
    }

    /// The stored text of a record.
    fn encode(&self) -> Result<String, session_store::Error> {
        serde_json::to_string(self).map_err(|error| session_store::Error::Encode(error.to_string()))
    }

    /// A record from its stored text.
    fn decode(text: &[u8]) -> Result<Self, session_store::Error> {
        serde_json::from_slice(text).map_err(|error| session_store::Error::Decode(error.to_string()))
    }
}

/// Names each step of a store in words, for the trace.
#[derive(Debug)]
pub struct StepNames {
    /// The store's name in an error.
    pub name: &'static str,
    /// Where its records are, in words.
    pub held_in: &'static str,
    /// What a command to it costs.
    pub kind: StepKind,
    /// Answering from what this process keeps, where it keeps anything.
    pub recall: Option<&'static str>,
    /// Reading one record.
    pub load: &'static str,
    /// Storing a new one.
    pub create: &'static str,
    /// Sliding the idle limit.
    pub touch: &'static str,
    /// Revoking one login.
    pub end: &'static str,
    /// Revoking every login of a user.
    pub end_all: &'static str,
    /// Listing the logins of a user.
    pub list: &'static str,
}

/// What a login needs beyond [`SessionStore`].
#[async_trait]
pub trait LoginStore: SessionStore {
    /// Names its steps in words.
    fn step_names(&self) -> &'static StepNames;

    /// The record as this process keeps it, if it does and may trust it now. Its limits are for the caller to check.
    fn recall(&self, _login: &LoginId) -> Option<Arc<LoginRecord>> {
        None
    }

    /// The record behind an id, unless it has expired. What [`SessionStore::load`] answers, decoded once: by way of a
    /// [`Record`] it would be copied three times.
    async fn find(&self, login: &LoginId) -> session_store::Result<Option<Arc<LoginRecord>>>;

    /// Replaces the record of an id that is stored. False if it is not: the login ended meanwhile and stays ended.
    async fn touch(&self, id: &Id, record: &LoginRecord) -> Result<bool, StoreError>;

    /// The user's logins that have not expired.
    async fn of_user(&self, user: UserId) -> Result<Vec<(LoginId, LoginRecord)>, StoreError>;

    /// Ends a login of this user. Nothing happens to a login of somebody else. May be called again.
    async fn end(&self, user: UserId, login: &LoginId) -> Result<(), StoreError>;

    /// Ends every login of this user. May be called again.
    async fn end_all(&self, user: UserId) -> Result<(), StoreError>;

    /// What it keeps of a login.
    async fn footprint(&self, user: UserId, login: &LoginId) -> Result<Footprint, StoreError>;
}

/// For [`SessionStore`], whose errors are text.
fn backend(error: &StoreError) -> session_store::Error {
    session_store::Error::Backend(error.detail().to_owned())
}

/// What `save` answers for a record that is no longer there: not a success, and the record stays away.
fn ended() -> session_store::Error {
    session_store::Error::Backend("the session has ended; nothing was saved".to_owned())
}
