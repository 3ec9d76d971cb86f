//! The errors of a start: one for each thing that a server opens.

use std::io;

use super::demo::SeedError;
use crate::account::HashError;
use crate::auth::KeysError;
use crate::store::StoreError;

/// Why a server did not start. Each is one sentence for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {0}: {1}")]
    Listen(String, io::Error),
    #[error("cannot use the {0}: {detail}", detail = .1.detail())]
    Database(String, StoreError),
    #[error("cannot use Redis: {0}")]
    Redis(StoreError),
    #[error("cannot start a private redis-server: {0}; name another with --redis-url, or none")]
    PrivateRedis(io::Error),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("cannot create a temporary folder: {0}")]
    Scratch(io::Error),
    #[error(transparent)]
    Hasher(#[from] HashError),
    #[error("cannot prepare the experiment: {0}")]
    Lab(StoreError),
    #[error("cannot read figures from {0}: {1}")]
    Figures(String, String),
    #[error("two strategies have the name {0}: each needs its own")]
    DoubleStrategy(&'static str),
    /// The name that an experiment was started with, and those that exist.
    #[error("there is no strategy {0}; there are {1}")]
    UnknownStrategy(String, String),
    #[error("cannot seed the demo users: {0}")]
    Demo(#[from] SeedError),
}

impl StartError {
    /// Whether an option is wrong: another try with the same options fails, too.
    pub fn is_wrong_option(&self) -> bool {
        match self {
            Self::Listen(_, error) => error.kind() == io::ErrorKind::InvalidInput,
            Self::Keys(_)
            | Self::Figures(..)
            | Self::UnknownStrategy(..)
            | Self::Demo(SeedError::Chosen(_) | SeedError::Rejected(_)) => true,
            _ => false,
        }
    }
}
