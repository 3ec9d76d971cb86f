//! The address of Redis: read from a setting, checked, and shown without its password.

use std::fmt;
use std::str::FromStr;

use redis::io::tcp::TcpSettings;
use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

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
    fn an_invalid_url_is_refused_with_the_form_it_should_have() {
        for invalid in ["", "localhost", "http://localhost", "redis://a,,redis://b"] {
            let error = invalid.parse::<RedisUrl>().expect_err(invalid).to_string();
            assert!(error.contains("redis://HOST"), "{invalid}: {error}");
        }
    }
}
