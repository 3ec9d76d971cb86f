//! What keeps a server from starting: an error for each thing that it opens.

use std::io;

use crate::account::HashError;
use crate::auth::KeysError;
use crate::store::StoreError;

/// Why a server did not start. Each is one sentence for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(String, io::Error),
    /// The database cannot be used.
    #[error("cannot use the {0}: {1}")]
    Database(String, StoreError),
    /// Redis cannot be used.
    #[error("cannot use Redis: {0}")]
    Redis(StoreError),
    /// The private Redis did not start.
    #[error("cannot start a private redis-server: {0}; name another with --redis-url, or none")]
    PrivateRedis(io::Error),
    /// There is no key for the tokens.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// There is no folder for temporary files.
    #[error("cannot create a temporary folder: {0}")]
    Scratch(io::Error),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Hasher(#[from] HashError),
    /// The experiments' user could not be made.
    #[error("cannot prepare the experiment: {0}")]
    Lab(StoreError),
    /// The file of figures cannot be used.
    #[error("cannot read figures from {0}: {1}")]
    Figures(String, String),
    /// An experiment was asked for a strategy that there is none of.
    #[error("there is no strategy {0}; there are {1}")]
    UnknownStrategy(String, String),
    /// The demo users could not be seeded.
    #[error("cannot seed the demo users: {0}")]
    Demo(String),
}
