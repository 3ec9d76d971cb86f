//! Files that hold a secret: read only if nobody else can read them.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

/// Why a file has no password for a store.
#[derive(Debug, thiserror::Error)]
pub enum PasswordFileError {
    #[error("the password file {} cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("others can read the password file {path}; run: chmod 600 {path}", path = path.display())]
    ReadableByOthers { path: PathBuf },
    #[error("the password file {} holds no password: one line of text", path.display())]
    NoPassword { path: PathBuf },
    /// For SQLite, or beside a password in the address: which of them counts?
    #[error("--database-password-file needs a --database-url of PostgreSQL without a password")]
    NotForThisDatabase,
    /// For a private Redis or none, or beside a password in the address.
    #[error("--redis-password-file needs a --redis-url without a password")]
    NotForThisRedis,
}

/// Reads the password of a store. A line break at its end does not count.
pub fn read_password(path: &Path) -> Result<SecretString, PasswordFileError> {
    let unreadable = |source| PasswordFileError::Unreadable { path: path.to_owned(), source };
    if is_readable_by_others(path).map_err(unreadable)? {
        return Err(PasswordFileError::ReadableByOthers { path: path.to_owned() });
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() || password.contains(char::is_control) {
        return Err(PasswordFileError::NoPassword { path: path.to_owned() });
    }
    Ok(password.into())
}

/// As PostgreSQL and ssh do. Root may give the server's group a secret: so Kubernetes hands it to a process.
pub fn is_readable_by_others(path: &Path) -> io::Result<bool> {
    let metadata = std::fs::metadata(path)?;
    let by_root = metadata.uid() == 0 && !rustix::process::geteuid().is_root();
    Ok(metadata.is_file() && metadata.mode() & if by_root { 0o027 } else { 0o077 } != 0)
}
