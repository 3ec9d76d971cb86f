//! Why a server has no key for its tokens.

use std::io;
use std::path::PathBuf;

use super::SigningAlgorithm;

/// A key is at least as long as the output of the hash, in bytes (RFC 7518, 3.2).
pub(super) const MIN_SECRET_BYTES: usize = 32;

/// Fewer different bytes are a typed pattern, not a random secret: 32 random hexadecimal digits practically never have
/// fewer than eight.
pub(super) const MIN_DIFFERENT_BYTES: usize = 8;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Shorter than the output of the hash, in bytes.
    #[error("the JWT secret has {0} bytes; HS256 needs at least {MIN_SECRET_BYTES}")]
    ShortSecret(usize),
    /// A repeated character or a short pattern.
    #[error(
        "the JWT secret has only {0} different bytes, so it can be guessed; `openssl rand -base64 32` prints a good one"
    )]
    WeakSecret(usize),
    /// A secret for an algorithm that has key pairs.
    #[error("--jwt-secret is for HS256; {0} takes its key from --jwt-key-file")]
    SecretForKeyPair(SigningAlgorithm),
    /// A secret beside key files: which of them signs?
    #[error("--jwt-secret and --jwt-key-file exclude each other; a key file may hold the secret in base64")]
    SecretAndFile,
    /// An empty list of files.
    #[error("--jwt-key-file names no file")]
    NoFile,
    /// The key file cannot be read or written.
    #[error("the JWT key file {} cannot be used: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The secret in the key file is too short or too weak.
    #[error("the JWT key file {} cannot be used: {source}", path.display())]
    Secret { path: PathBuf, source: Box<KeysError> },
    /// Not only the owner can read the key file.
    #[error("others can read the JWT key file {path}; run: chmod 600 {path}", path = path.display())]
    Readable { path: PathBuf },
    /// One of several key files is missing: a new key in its place would refuse every token of the right one.
    #[error("the JWT key file {path} is missing; of several, each must exist. `jwt-vs-session key {path}` makes a new one", path = path.display())]
    Missing { path: PathBuf },
    /// A new key would replace another one.
    #[error("{} exists: a new key goes into a new file", path.display())]
    Exists { path: PathBuf },
    /// The key file holds something else.
    #[error("the JWT key file {} holds no {algorithm} key", path.display())]
    NotAKey { path: PathBuf, algorithm: SigningAlgorithm },
    /// Two key files with the same key: the rotation adds nothing.
    #[error("the JWT key files {} and {} hold the same key", one.display(), other.display())]
    Same { one: PathBuf, other: PathBuf },
}
