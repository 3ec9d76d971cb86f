//! The address of Redis: read from a setting, checked, and shown without its password.

use std::fmt;
use std::str::FromStr;

use redis::io::tcp::TcpSettings;
use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion};
use secrecy::{ExposeSecret as _, SecretString};

/// One address of Redis, or several of a cluster.
#[derive(Clone)]
pub struct RedisUrl(pub(super) Vec<ConnectionInfo>);

/// The text is no address of Redis. It is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("expected redis://HOST[:PORT], rediss://HOST[:PORT] or redis+unix:///PATH")]
pub struct RedisUrlError;

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    /// `redis://`, `rediss://`, `redis+unix://`; several with commas between them are the nodes of a cluster.
    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        text.split(',').map(|url| connection_info(url.trim())).collect::<Result<_, _>>().map(Self)
    }
}

impl RedisUrl {
    /// The same addresses with this password. `None` if one of them has a password already.
    pub fn with_password(&self, password: &SecretString) -> Option<Self> {
        let with = |info: &ConnectionInfo| {
            let settings = info.redis_settings();
            let changed = settings.clone().set_password(password.expose_secret());
            settings.password().is_none().then(|| info.clone().set_redis_settings(changed))
        };
        self.0.iter().map(with).collect::<Option<_>>().map(Self)
    }
}

/// The addresses alone, without password.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses: Vec<_> = self.0.iter().map(|info| info.addr().to_string()).collect();
        f.write_str(&addresses.join(", "))
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn connection_info(url: &str) -> Result<ConnectionInfo, RedisUrlError> {
    let info = url.into_connection_info().map_err(|_| RedisUrlError)?;
    // RESP3 lets Redis push over the same connection.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    // Without TCP_NODELAY a command waits for the acknowledgement of the one before it.
    Ok(info.set_tcp_settings(TcpSettings::default().set_nodelay(true)).set_redis_settings(settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let url: RedisUrl = "redis://:hunter2@127.0.0.1:6390/1".parse().expect("a valid url");
        assert_eq!(url.to_string(), "127.0.0.1:6390");
        assert!(!format!("{url:?}").contains("hunter2"));
    }

    #[test]
    fn a_password_is_added_to_addresses_without_one() {
        let with = |text: &str| text.parse::<RedisUrl>().expect(text).with_password(&"hunter2".into());
        let url = with("redis://me@a:1,rediss://b:2").expect("addresses without a password");
        let settings: Vec<_> = url.0.iter().map(ConnectionInfo::redis_settings).collect();
        assert!(settings.iter().all(|it| it.password() == Some("hunter2")), "{settings:?}");
        assert_eq!(settings[0].username(), Some("me"));
        assert_eq!(url.to_string(), "a:1, b:2");
        assert!(with("redis://a:1,redis://:another@b:2").is_none());
    }

    #[test]
    fn an_invalid_url_is_refused_with_the_form_it_should_have() {
        for invalid in ["", "localhost", "http://localhost", "redis://a,,redis://b"] {
            let error = invalid.parse::<RedisUrl>().expect_err(invalid).to_string();
            assert!(error.contains("redis://HOST"), "{invalid}: {error}");
        }
    }
}
