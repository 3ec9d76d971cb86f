//! The values of the settings: how they are written, and why one is invalid.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use super::CONNECTIONS;
use crate::store::RedisUrl;

/// The value of `--redis-url`.
#[derive(Clone, Debug)]
pub enum RedisChoice {
    None,
    At(RedisUrl),
}

impl FromStr for RedisChoice {
    type Err = <RedisUrl as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" { Ok(Self::None) } else { text.parse().map(Self::At) }
    }
}

/// Why the value of an option is invalid. Each names the form that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    #[error("expected a duration, as in 500ms, 15m, 2h or 14d")]
    Duration,
    #[error("expected a count of characters from 8 to 64")]
    PasswordMin,
    #[error("expected a count of connections from 1 to 768")]
    Connections,
    #[error("expected a duration from 0ms to 5ms")]
    Delay,
    #[error("expected a duration from 100ms to 3650d")]
    Lifetime,
    #[error("expected a count and s, m or h, as in 30/m, or off")]
    LoginRate,
    #[error("expected an address or a network, as in 10.0.0.0/8")]
    Network,
    #[error("expected 1 to 64 printable ASCII characters without spaces")]
    NodeName,
    #[error("expected http://HOST[:PORT] or https://HOST[:PORT], and nothing behind")]
    PublicUrl,
}

/// How often a network may send a wrong password or register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRate {
    Off,
    /// At most this many in this time.
    Limited(NonZeroU32, Duration),
}

impl FromStr for LoginRate {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, InvalidSetting> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let parsed = text.split_once('/').and_then(|(count, unit)| {
            let seconds = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                _ => return None,
            };
            Some(Self::Limited(count.parse().ok()?, Duration::from_secs(seconds)))
        });
        parsed.ok_or(InvalidSetting::LoginRate)
    }
}

/// Parses a lifetime of 100 ms to 10 years.
pub(super) fn life(text: &str) -> Result<Duration, InvalidSetting> {
    let life = humantime::parse_duration(text).map_err(|_| InvalidSetting::Duration)?;
    let bounds = Duration::from_millis(100)..=Duration::from_hours(24 * 3650);
    if bounds.contains(&life) { Ok(life) } else { Err(InvalidSetting::Lifetime) }
}

pub(super) fn password_min(text: &str) -> Result<usize, InvalidSetting> {
    text.parse().ok().filter(|count| (8..=64).contains(count)).ok_or(InvalidSetting::PasswordMin)
}

pub(super) fn connections(text: &str) -> Result<usize, InvalidSetting> {
    text.parse().ok().filter(|count| (1..=CONNECTIONS).contains(count)).ok_or(InvalidSetting::Connections)
}

pub(super) fn network(text: &str) -> Result<IpNet, InvalidSetting> {
    let one = |_| text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().or_else(one).map_err(|_| InvalidSetting::Network)
}

/// Parses a name that fits into a header.
pub(super) fn node_name(text: &str) -> Result<String, InvalidSetting> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err(InvalidSetting::NodeName) }
}

/// Parses an origin: scheme, host and port, nothing behind.
pub(super) fn public_url(text: &str) -> Result<url::Url, InvalidSetting> {
    let url: url::Url = text.parse().map_err(|_| InvalidSetting::PublicUrl)?;
    let origin =
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.path() == "/" && url.query().is_none();
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if origin && bare { Ok(url) } else { Err(InvalidSetting::PublicUrl) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_durations_are_parsed_as_the_help_says() {
        let thirty = NonZeroU32::new(30).expect("not zero");
        assert_eq!("30/m".parse(), Ok(LoginRate::Limited(thirty, Duration::from_mins(1))));
        assert_eq!("off".parse(), Ok(LoginRate::Off));
        for bad in ["", "30", "0/m", "-1/s", "30/d"] {
            assert!(bad.parse::<LoginRate>().is_err(), "{bad}");
        }
        assert_eq!(life("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(life("14d"), Ok(Duration::from_hours(14 * 24)));
        for bad in ["", "5", "0s", "-1m", "99999999d"] {
            assert!(life(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_url_is_an_origin() {
        assert!(public_url("https://example.org").is_ok());
        for bad in [
            "example.org",
            "ftp://example.org",
            "https://example.org/app",
            "https://me@example.org",
            "https://example.org/?x",
        ] {
            assert!(public_url(bad).is_err(), "{bad}");
        }
    }
}
