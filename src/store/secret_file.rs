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

pub fn is_readable_by_others(path: &Path) -> io::Result<bool> {
    let metadata = std::fs::metadata(path)?;
    let forbidden = forbidden_mode(metadata.uid(), rustix::process::geteuid().is_root());
    Ok(metadata.is_file() && metadata.mode() & forbidden != 0)
}

/// As PostgreSQL and ssh do. Root may give the server's group a secret: so Kubernetes hands it to a process.
fn forbidden_mode(owner: u32, is_root: bool) -> u32 {
    if owner == 0 && !is_root { 0o027 } else { 0o077 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_may_give_the_group_of_another_user_a_secret() {
        assert_eq!(forbidden_mode(0, false), 0o027);
        for (owner, is_root) in [(0, true), (1000, false), (1000, true)] {
            assert_eq!(forbidden_mode(owner, is_root), 0o077, "owner {owner}, root {is_root}");
        }
    }
}
