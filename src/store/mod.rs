//! WHERE things live: the SQL database, Redis, this process. Nothing above this module speaks SQL or Redis.

mod floors;
mod latency;
mod migrations;
mod private_redis;
mod push_channel;
mod redis;
pub mod refresh;
pub mod revocations;
pub mod sessions;
mod sql;
mod sweeper;
pub mod users;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use self::floors::{Floors, Footprint};
pub use self::private_redis::PrivateRedis;
pub use self::push_channel::PUSH_BOUND;
pub use self::redis::{Redis, RedisUrl};
pub use self::sql::{Sql, SqlUrl};

/// 256 random bits in base64url (43 characters): a secret that nobody guesses.
pub fn random_secret() -> Result<String, StoreError> {
    random_bytes::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

fn random_bytes<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StoreError::new("The random generator", "no bytes"))?;
    Ok(bytes)
}

/// A store did not do what it was asked.
///
/// It never means "no": whether a login exists, or whether a revoke was carried out, is not known.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// No answer in time, no connection, or an error of the store itself.
    #[error("{store} is not available: {detail}")]
    Unavailable {
        /// The store's name, fit to be shown.
        store: &'static str,
        /// For the log only.
        detail: String,
    },
    /// There is none: the server was started without it.
    #[error("the server runs without {store}")]
    Absent {
        /// The store's name, fit to be shown.
        store: &'static str,
    },
}

impl StoreError {
    pub(crate) fn new(store: &'static str, detail: &(impl ToString + ?Sized)) -> Self {
        Self::Unavailable { store, detail: detail.to_string() }
    }

    /// What happened, for the log only.
    pub fn detail(&self) -> &str {
        match self {
            Self::Unavailable { detail, .. } => detail,
            Self::Absent { .. } => "the server runs without it",
        }
    }

    /// The store's name, fit to be shown.
    pub fn store(&self) -> &'static str {
        match self {
            Self::Unavailable { store, .. } | Self::Absent { store } => store,
        }
    }

    /// What a visitor is told.
    pub fn sentence(&self) -> String {
        match self {
            Self::Unavailable { store, .. } => format!("{store} does not answer."),
            Self::Absent { store } => format!("The server runs without {store}."),
        }
    }
}
