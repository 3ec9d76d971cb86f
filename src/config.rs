//! Every setting, from the command line or the environment. Beside it only `RUST_LOG` is read, for the log, and `PATH`,
//! to find `redis-server`.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;
use secrecy::SecretString;

use crate::auth::SigningAlgorithm;
use crate::store::{RedisUrl, SqlUrl};

/// The settings of a server. Each option has an environment variable of the same name in capitals.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, env, default_value = "127.0.0.1:5000", global = true, value_name = "HOST:PORT")]
    pub listen: String,

    /// What the browser sees; https:// turns on Secure cookies, the __Secure- prefix and HSTS [default: http:// and the bound address]
    #[arg(long, env, global = true, value_name = "URL", value_parser = public_url)]
    pub public_url: Option<url::Url>,

    /// sqlite://FILE?mode=rwc or postgres://USER:PASSWORD@HOST/DATABASE; migrations run at start
    #[arg(
        long,
        env,
        default_value = "sqlite://jwt-vs-session.db?mode=rwc",
        hide_env_values = true,
        global = true,
        value_name = "URL"
    )]
    pub database_url: SqlUrl,

    /// redis://, rediss:// or redis+unix://, several with commas for a cluster; none = run without [default: a private redis-server if that program is on PATH]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "URL")]
    pub redis_url: Option<RedisChoice>,

    /// Secret for HS256, at least 32 bytes [default: a key file]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "SECRET")]
    pub jwt_secret: Option<SecretString>,

    /// Signature of the tokens
    #[arg(long, env, default_value = "HS256", global = true, value_name = "ALGORITHM")]
    pub jwt_algorithm: SigningAlgorithm,

    /// Key file, made with mode 0600 if there is none [default: beside the database]
    #[arg(long, env, global = true, value_name = "FILE")]
    pub jwt_key_file: Option<PathBuf>,

    /// Life of an access token
    #[arg(long, env, default_value = "15m", global = true, value_name = "DURATION", value_parser = life)]
    pub access_ttl: Duration,

    /// A session ends after this long without a request
    #[arg(long, env, default_value = "30m", global = true, value_name = "DURATION", value_parser = life)]
    pub session_idle: Duration,

    /// A session ends after this long in any case
    #[arg(long, env, default_value = "12h", global = true, value_name = "DURATION", value_parser = life)]
    pub session_absolute: Duration,

    /// Under jwt-refresh: life of an access token
    #[arg(long, env, default_value = "60s", global = true, value_name = "DURATION", value_parser = life)]
    pub short_ttl: Duration,

    /// Under jwt-refresh: life of a login
    #[arg(long, env, default_value = "14d", global = true, value_name = "DURATION", value_parser = life)]
    pub refresh_ttl: Duration,

    /// Logins, registrations and password changes per address and per account, as in 30/m, and ten times as many renewals by JSON per address; off for measurements
    #[arg(long, env, default_value = "30/m", global = true, value_name = "COUNT/UNIT")]
    pub login_rate: LoginRate,

    /// Addresses or networks of proxies whose X-Forwarded-For is believed
    #[arg(long, env, global = true, value_name = "ADDRESS", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,

    /// This node's name, shown on every page and in X-Node [default: host name and port]
    #[arg(long, env, global = true, value_name = "NAME", value_parser = node_name)]
    pub node: Option<String>,

    /// Kept figures for the frontier and the capacity view: docs/figures.json of a run [default: those of the build, if any]
    #[arg(long, env, global = true, value_name = "FILE")]
    pub figures: Option<PathBuf>,

    /// Seed the users alice, bob and carol [default: on for loopback, off elsewhere]
    #[arg(long, env, global = true, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub demo: Option<bool>,

    /// Do not seed them
    #[arg(long, env, global = true, overrides_with = "demo")]
    pub no_demo: bool,
}

impl Settings {
    /// What was said of the demo users, if anything.
    pub fn demo_wanted(&self) -> Option<bool> {
        if self.no_demo { Some(false) } else { self.demo }
    }

    /// Where the key of the tokens is kept: one file an algorithm, beside the database.
    pub fn key_file(&self) -> PathBuf {
        self.jwt_key_file.clone().unwrap_or_else(|| {
            let name = format!("jwt-vs-session.{}.key", self.jwt_algorithm);
            self.database_url.file().unwrap_or_default().with_file_name(name)
        })
    }
}

/// What was said of Redis.
#[derive(Clone, Debug)]
pub enum RedisChoice {
    /// Run without.
    None,
    /// Use this one.
    At(RedisUrl),
}

impl FromStr for RedisChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" { Ok(Self::None) } else { text.parse().map(Self::At) }
    }
}

/// How many logins an address or an account may try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRate {
    /// Any number: for measurements.
    Off,
    /// So many in so long.
    Limited(NonZeroU32, Duration),
}

impl FromStr for LoginRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
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
        parsed.ok_or_else(|| "expected a count and s, m or h, as in 30/m, or off".to_owned())
    }
}

impl fmt::Display for LoginRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Limited(count, period) => write!(f, "{count}/{}", humantime::format_duration(*period)),
        }
    }
}

/// A life of at least 100 ms and at most 10 years.
fn life(text: &str) -> Result<Duration, String> {
    let life =
        humantime::parse_duration(text).map_err(|_| "expected a duration, as in 500ms, 15m, 2h or 14d".to_owned())?;
    let bounds = Duration::from_millis(100)..=Duration::from_hours(24 * 3650);
    if bounds.contains(&life) { Ok(life) } else { Err("expected a duration from 100ms to 3650d".to_owned()) }
}

fn network(text: &str) -> Result<IpNet, String> {
    let one = |_| text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().or_else(one).map_err(|_| "expected an address or a network, as in 10.0.0.0/8".to_owned())
}

/// It stands in a header and on every page.
fn node_name(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 64 printable ASCII characters without spaces".to_owned())
    }
}

/// An origin: scheme, host and port, nothing behind.
fn public_url(text: &str) -> Result<url::Url, String> {
    let url: url::Url = text.parse().map_err(|_| "expected http://HOST[:PORT] or https://HOST[:PORT]".to_owned())?;
    let origin =
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.path() == "/" && url.query().is_none();
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if origin && bare {
        Ok(url)
    } else {
        Err("expected http://HOST[:PORT] or https://HOST[:PORT], and nothing behind".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_lives_are_read_as_the_help_says() {
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
