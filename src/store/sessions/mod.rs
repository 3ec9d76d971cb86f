//! Session stores: where the records of opaque session ids live.
//!
//! Each is a [`SessionStore`] of tower-sessions and keeps what that trait leaves open: an id is stored only as its
//! hash, `create` never overwrites, `save` never brings back, and the logins of a user are listed by an index that
//! changes in the same atomic step as the record.

mod memory;
mod redis;
mod restored;
mod scripts;
mod sql;
mod tracked;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;

pub use self::memory::MemorySessions;
pub use self::redis::RedisSessions;
pub use self::sql::SqlSessions;
pub use self::tracked::{COPIES, TrackedSessions};
use super::users::{Role, UserId};
use super::{StoreError, Stored};
use crate::clock::Timestamp;
use crate::trace::StepKind;

/// The public name of a login: what the list of devices shows and what is named to end it. Opens nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoginId(CompactString);

/// The characters of base64url, by their code. Looked up, as every request does it.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut code = 0;
    while code < plain.len() {
        #[allow(clippy::cast_possible_truncation)] // below 256
        let byte = code as u8;
        plain[code] = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        code += 1;
    }
    plain
};

impl LoginId {
    /// The name of the login behind a session id: 128 bits of the id's SHA-256, in base64url (22 characters).
    ///
    /// The record is stored under this name, so a copy of the store holds nothing that logs in. An id of 128 random bits
    /// (OWASP ASVS 5.0, 7.2.3) cannot be found from it.
    pub fn of_session(id: &Id) -> Self {
        let digest = Sha256::digest(id.0.to_le_bytes());
        let mut bits = [0; 16];
        bits.copy_from_slice(&digest[..16]);
        Self::of_bits(bits)
    }

    /// A name that no login has: 128 random bits.
    pub fn random() -> Self {
        Self::of_bits(Id::default().0.to_le_bytes())
    }

    fn of_bits(bits: [u8; 16]) -> Self {
        // 128 bits are 22 characters: they always fit, and take no memory of their own.
        let mut text = [0; 22];
        let written = URL_SAFE_NO_PAD.encode_slice(bits, &mut text);
        debug_assert_eq!(written, Ok(text.len()));
        Self(CompactString::from_utf8_lossy(&text))
    }

    /// A name from outside: 1 to 64 characters of base64url, so that it may stand in a key and in a path.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len());
        let plain = text.bytes().fold(true, |plain, byte| plain & PLAIN[usize::from(byte)]);
        (fits && plain).then(|| Self(text.into()))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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

/// Each command of a store in words, for the trace.
#[derive(Debug)]
pub struct Commands {
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
    /// Ending one login, and how many commands that sends.
    pub end: (&'static str, usize),
    /// Ending every login of a user, and how many commands that sends.
    pub end_all: (&'static str, usize),
    /// Listing the logins of a user.
    pub list: &'static str,
}

/// What a login needs beyond [`SessionStore`].
#[async_trait]
pub trait LoginStore: SessionStore {
    /// Its commands in words.
    fn commands(&self) -> &'static Commands;

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
    async fn footprint(&self, user: UserId, login: &LoginId) -> Result<Stored, StoreError>;
}

/// For [`SessionStore`], whose errors are text.
fn backend(error: &StoreError) -> session_store::Error {
    session_store::Error::Backend(error.detail().to_owned())
}

/// What `save` answers for a record that is no longer there: not a success, and the record stays away.
fn ended() -> session_store::Error {
    session_store::Error::Backend("the session has ended; nothing was saved".to_owned())
}
