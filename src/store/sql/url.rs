//! The address of the SQL database: read from a setting, checked, and shown without its password.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

/// `sqlite://…` or `postgres://…`.
#[derive(Clone)]
pub struct SqlUrl(Url);

/// The text is no address of a database. It is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("expected sqlite://FILE?mode=rwc or postgres://USER:PASSWORD@HOST/DATABASE")]
pub struct SqlUrlError;

impl FromStr for SqlUrl {
    type Err = SqlUrlError;

    fn from_str(text: &str) -> Result<Self, SqlUrlError> {
        let url = text.parse::<Url>().map_err(|_| SqlUrlError)?;
        match url.scheme() {
            "sqlite" | "postgres" | "postgresql" => Ok(Self(url)),
            _ => Err(SqlUrlError),
        }
    }
}

impl SqlUrl {
    /// The file of an SQLite database, unless it is in memory.
    pub fn file(&self) -> Option<PathBuf> {
        let path = self.as_str().strip_prefix("sqlite:")?.split('?').next()?;
        let path = path.strip_prefix("//").unwrap_or(path);
        (!path.is_empty() && path != ":memory:").then(|| path.into())
    }

    /// Whether opening it creates a missing file.
    pub fn creates_file(&self) -> bool {
        self.file().is_some() && self.0.query_pairs().any(|(name, value)| name == "mode" && value == "rwc")
    }

    /// The whole address, with its password.
    pub(super) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn is_sqlite(&self) -> bool {
        self.0.scheme() == "sqlite"
    }

    pub(super) fn store(&self) -> &'static str {
        if self.is_sqlite() { "SQLite" } else { "PostgreSQL" }
    }
}

/// Without user and password.
impl fmt::Display for SqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file() {
            Some(file) => write!(f, "SQLite file {}", file.display()),
            None => {
                let host = self.0.host_str().unwrap_or("a local socket");
                write!(f, "{} database {} on {host}", self.store(), self.0.path().trim_start_matches('/'))
            }
        }
    }
}

impl fmt::Debug for SqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let url: SqlUrl = "postgres://me:hunter2@db.internal/app".parse().expect("a valid url");
        assert_eq!(url.to_string(), "PostgreSQL database app on db.internal");
        assert!(!format!("{url:?}").contains("hunter2"));
    }

    #[test]
    fn a_sqlite_url_names_its_file() {
        let file = |text: &str| text.parse::<SqlUrl>().expect(text).file();
        assert_eq!(file("sqlite://jwt-vs-session.db?mode=rwc"), Some("jwt-vs-session.db".into()));
        assert_eq!(file("sqlite:///var/lib/app.db"), Some("/var/lib/app.db".into()));
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("postgres://localhost/app"), None);
    }
}
