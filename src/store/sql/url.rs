//! The address of the SQL database: read from a setting, checked, and shown without its password.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use secrecy::{ExposeSecret as _, SecretString};
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
        if path.is_empty() || path == ":memory:" {
            return None;
        }
        // A path may be percent-encoded.
        let options = SqliteConnectOptions::from_str(self.as_str()).ok()?;
        Some(options.get_filename().to_owned())
    }

    /// The same address with this password. `None` for SQLite, which has none, and for an address that has one already.
    pub fn with_password(&self, password: &SecretString) -> Option<Self> {
        let names_one = self.0.password().is_some() || self.0.query_pairs().any(|(name, _)| name == "password");
        if self.is_sqlite() || names_one {
            return None;
        }
        let mut url = self.0.clone();
        // Behind the host, because an address of a Unix socket may have none.
        url.query_pairs_mut().append_pair("password", password.expose_secret());
        Some(Self(url))
    }

    /// Whether opening it creates a missing file.
    pub fn creates_file(&self) -> bool {
        self.file().is_some() && self.0.query_pairs().any(|(name, value)| name == "mode" && value == "rwc")
    }

    /// Protects a connection to PostgreSQL: a server that is not this machine must prove its name by a certificate before
    /// the password goes to it, unless the address or `PGSSLMODE` names another `sslmode`.
    pub(super) fn protect(&self, options: PgConnectOptions) -> PgConnectOptions {
        let is_default = !self.names_ssl_mode() && matches!(options.get_ssl_mode(), PgSslMode::Prefer);
        if is_default && !is_local(&options) { options.ssl_mode(PgSslMode::VerifyFull) } else { options }
    }

    pub(super) fn names_ssl_mode(&self) -> bool {
        self.0.query_pairs().any(|(name, _)| name == "sslmode" || name == "ssl-mode")
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

/// Whether the server is on this machine: over a Unix socket, or over loopback.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    if options.get_socket().is_some() || host.starts_with('/') {
        return true;
    }
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
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
    fn a_password_is_added_to_an_address_without_one() {
        let with = |text: &str, password: &str| {
            let url: SqlUrl = text.parse().expect(text);
            url.with_password(&password.into())
        };
        for address in ["postgres://me@db/app", "postgres://me@db/app?sslmode=disable", "postgres:///app?host=/run"] {
            let url = with(address, "a+b &c=%20é").expect(address);
            assert!(!url.to_string().contains("a+b") && !format!("{url:?}").contains("a+b"));
            let options = PgConnectOptions::from_str(url.as_str()).expect(address);
            // Only the debug form shows the password.
            assert!(format!("{options:?}").contains("a+b &c=%20é"), "{options:?}");
        }
        for address in ["sqlite://app.db", "postgres://me:hunter2@db/app", "postgres://me@db/app?password=hunter2"] {
            assert!(with(address, "another").is_none(), "{address}");
        }
    }

    #[test]
    fn a_sqlite_url_names_its_file() {
        let file = |text: &str| text.parse::<SqlUrl>().expect(text).file();
        assert_eq!(file("sqlite://jwt-vs-session.db?mode=rwc"), Some("jwt-vs-session.db".into()));
        assert_eq!(file("sqlite:///var/lib/app.db"), Some("/var/lib/app.db".into()));
        assert_eq!(file("sqlite:///var/lib/my%20app.db"), Some("/var/lib/my app.db".into()));
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("postgres://localhost/app"), None);
    }

    #[test]
    fn a_server_elsewhere_must_prove_its_name_unless_the_address_says_how() {
        let mode = |text: &str| {
            let url: SqlUrl = text.parse().expect(text);
            format!("{:?}", url.protect(PgConnectOptions::from_str(text).expect(text)).get_ssl_mode())
        };
        for elsewhere in ["db.internal", "postgres", "10.0.0.7", "[2001:db8::7]", "localhost.example", "0.0.0.0"] {
            assert_eq!(mode(&format!("postgres://me@{elsewhere}/app")), "VerifyFull", "{elsewhere}");
            for (named, expected) in [("require", "Require"), ("prefer", "Prefer"), ("disable", "Disable")] {
                assert_eq!(mode(&format!("postgres://me@{elsewhere}/app?sslmode={named}")), expected, "{elsewhere}");
            }
        }
        assert_eq!(mode("postgres:///app?host=db.internal"), "VerifyFull");
        for here in ["me@localhost/app", "me@127.0.0.1:5433/app", "me@[::1]/app", "me@%2Frun%2Fpostgresql/app"] {
            assert_eq!(mode(&format!("postgres://{here}")), "Prefer", "{here}");
        }
        assert_eq!(mode("postgres:///app?host=/run/postgresql"), "Prefer");
    }
}
