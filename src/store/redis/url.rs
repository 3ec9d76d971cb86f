//! Where Redis is, as a setting says it: read, checked, and shown without its password.

use std::fmt;
use std::str::FromStr;

use redis::io::tcp::TcpSettings;
use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

/// Where Redis is: one address, or several of a cluster.
#[derive(Clone)]
pub struct RedisUrl(pub(super) Vec<ConnectionInfo>);

impl FromStr for RedisUrl {
    type Err = String;

    /// `redis://`, `rediss://`, `redis+unix://`; several with commas between them are the nodes of a cluster.
    fn from_str(text: &str) -> Result<Self, String> {
        let addresses = text.split(',').map(|url| prepared(url.trim())).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(addresses))
    }
}

/// The address alone: a password in the URL is not shown.
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

fn prepared(url: &str) -> Result<ConnectionInfo, String> {
    let info = url
        .into_connection_info()
        .map_err(|_| "expected redis://HOST[:PORT], rediss://HOST[:PORT] or redis+unix:///PATH".to_owned())?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    // Without TCP_NODELAY a command waits for the acknowledgement of the one before it.
    Ok(info.set_tcp_settings(TcpSettings::default().set_nodelay(true)).set_redis_settings(settings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let url: RedisUrl = "redis://:hunter2@127.0.0.1:6390/1".parse().expect("a good url");
        assert_eq!(url.to_string(), "127.0.0.1:6390");
        assert!(!format!("{url:?}").contains("hunter2"));
    }

    #[test]
    fn a_bad_url_is_refused_with_the_form_it_should_have() {
        for bad in ["", "localhost", "http://localhost", "redis://a,,redis://b"] {
            let error = bad.parse::<RedisUrl>().expect_err(bad);
            assert!(error.contains("redis://HOST"), "{bad}: {error}");
        }
    }
}
