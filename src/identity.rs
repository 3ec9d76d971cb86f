//! The ids of users and logins, and what belongs to them. Below `auth` and `store`, which share them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tower_sessions::session::Id;
use uuid::Uuid;

/// Identifies a user. Random, so that a new database never gives an old user's id to somebody else: an old token would
/// name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub Uuid);

impl UserId {
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Uses the pages.
    User,
    /// Also runs experiments in front of a room.
    Presenter,
}

impl Role {
    /// The name in tables, tokens and pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Presenter => "presenter",
        }
    }
}

/// A text names no role.
#[derive(Debug, thiserror::Error)]
#[error("there is no role {0}; expected user or presenter")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        let known = [Self::User, Self::Presenter].into_iter().find(|role| role.name() == name);
        known.ok_or_else(|| UnknownRole(name.to_owned()))
    }
}

/// The user that a login belongs to.
///
/// The texts here and in [`Device`] are compact strings: up to 24 bytes need no allocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    pub id: UserId,
    pub name: CompactString,
    pub role: Role,
}

/// Where a login was opened, as the request claimed. The list of devices shows it; nothing trusts it.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// The browser and the system, in a few words.
    pub label: CompactString,
    /// The client's IP address.
    pub address: CompactString,
}

/// The client behind a request, as far as a server can tell clients apart. A client chooses its browser's name freely, and
/// shares its network: two clients may look the same.
#[derive(Clone, Debug, Default)]
pub struct ClientOrigin {
    /// The IPv4 address, or the first 64 bits of an IPv6 address.
    pub network: CompactString,
    /// The whole `User-Agent`.
    pub browser: CompactString,
}

/// The public name of a login: the list of devices shows it, and a revoke names it. It is no credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoginId(CompactString);

/// The bytes that are characters of base64url. A table, because every request checks a login id.
const IS_BASE64URL: [bool; 256] = {
    let mut table = [false; 256];
    let mut code = 0;
    while code < table.len() {
        #[allow(clippy::cast_possible_truncation)] // below 256
        let byte = code as u8;
        table[code] = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        code += 1;
    }
    table
};

impl LoginId {
    /// Derives the name of the login behind a session id: 128 bits of the id's SHA-256, in base64url (22 characters).
    ///
    /// Stores keep the record under this name, so a copy of a store holds nothing that logs in. Nobody can compute an id
    /// of 128 random bits (OWASP ASVS 5.0, 7.2.3) from it.
    pub fn of_session(id: &Id) -> Self {
        let digest = Sha256::digest(id.0.to_le_bytes());
        let mut bits = [0; 16];
        bits.copy_from_slice(&digest[..16]);
        Self::of_bits(bits)
    }

    /// Makes a new name from 128 random bits.
    pub fn random() -> Self {
        Self::of_bits(Id::default().0.to_le_bytes())
    }

    fn of_bits(bits: [u8; 16]) -> Self {
        // 128 bits are 22 characters: they always fit, and need no allocation.
        let mut text = [0; 22];
        let written = URL_SAFE_NO_PAD.encode_slice(bits, &mut text);
        debug_assert_eq!(written, Ok(text.len()));
        Self(CompactString::from_utf8_lossy(&text))
    }

    /// Reads a name from outside. `None` unless it has 1 to 64 characters of base64url: it goes into keys and paths.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len());
        let plain = text.bytes().fold(true, |plain, byte| plain & IS_BASE64URL[usize::from(byte)]);
        (fits && plain).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
