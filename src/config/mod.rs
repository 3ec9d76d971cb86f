//! Reads every setting, from the command line or the environment. Other modules read only `RUST_LOG`, and `PATH` to find
//! `redis-server`.

mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;
use secrecy::SecretString;

pub use self::values::{InvalidSetting, LoginRate, RedisChoice};
use self::values::{connections, life, network, node_name, password_min, public_url};
use crate::auth::SigningAlgorithm;
use crate::network::TrustedProxies;
use crate::server::ConnectionLimits;
use crate::store::{PasswordFileError, SqlUrl, read_password};

/// The most connections at once. Below the usual limit of 1,024 open files, so that the stores can always reconnect.
const CONNECTIONS: usize = 768;

/// Further connections, for `/healthz` alone.
const HEALTH_CONNECTIONS: usize = 32;

/// The settings of a server. Each option has an environment variable of the same name in capitals.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server options")]
pub struct Settings {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, env, default_value = "127.0.0.1:5000", global = true, value_name = "HOST:PORT")]
    pub listen: String,

    /// Address that the browser sees; if set, the server answers for no other host. https:// turns on Secure cookies, the __Secure- prefix and HSTS [default: http:// and the bound address]
    #[arg(long, env, global = true, value_name = "URL", value_parser = public_url)]
    pub public_url: Option<url::Url>,

    /// SQL database: sqlite://FILE?mode=rwc or postgres://USER:PASSWORD@HOST/DATABASE; migrations run at start
    #[arg(
        long,
        env,
        default_value = "sqlite://jwt-vs-session.db?mode=rwc",
        hide_env_values = true,
        global = true,
        value_name = "URL"
    )]
    pub database_url: SqlUrl,

    /// Redis: redis://, rediss:// or redis+unix://, several with commas for a cluster; none runs without Redis [default: a private redis-server if that program is on PATH]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "URL")]
    pub redis_url: Option<RedisChoice>,

    /// File with the password for --database-url, which then names none; others must not be able to read it
    #[arg(long, env, global = true, value_name = "FILE")]
    pub database_password_file: Option<PathBuf>,

    /// File with the password for --redis-url, which then names none; others must not be able to read it
    #[arg(long, env, global = true, value_name = "FILE")]
    pub redis_password_file: Option<PathBuf>,

    /// Secret that signs tokens with HS256, at least 32 bytes [default: a key file]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "SECRET")]
    pub jwt_secret: Option<SecretString>,

    /// Algorithm that signs the tokens
    #[arg(long, env, default_value = "HS256", ignore_case = true, global = true, value_name = "ALGORITHM")]
    pub jwt_algorithm: SigningAlgorithm,

    /// Key file of the tokens, made with mode 0600 if it is missing. Give it twice to replace a key: the first signs, all verify [default: beside the database]
    #[arg(long, env, global = true, value_name = "FILE", value_delimiter = ',')]
    pub jwt_key_file: Vec<PathBuf>,

    /// Lifetime of an access token
    #[arg(long, env, default_value = "15m", global = true, value_name = "DURATION", value_parser = life)]
    pub access_ttl: Duration,

    /// Idle timeout: a session expires after this long without a request
    #[arg(long, env, default_value = "30m", global = true, value_name = "DURATION", value_parser = life)]
    pub session_idle: Duration,

    /// Absolute timeout: a session expires after this long in any case
    #[arg(long, env, default_value = "12h", global = true, value_name = "DURATION", value_parser = life)]
    pub session_absolute: Duration,

    /// Lifetime of an access token under jwt-refresh
    #[arg(long, env, default_value = "60s", global = true, value_name = "DURATION", value_parser = life)]
    pub short_ttl: Duration,

    /// Lifetime of a refresh token family, and so of a login, under jwt-refresh
    #[arg(long, env, default_value = "14d", global = true, value_name = "DURATION", value_parser = life)]
    pub refresh_ttl: Duration,

    /// Limit of wrong passwords and registrations from one network; of all tries, and of renewals by JSON, ten times as many. off: no limits at all, for measurements
    #[arg(long, env, default_value = "30/m", global = true, value_name = "COUNT/UNIT")]
    pub login_rate: LoginRate,

    /// Fewest characters of a new password, from 8 to 64. NIST SP 800-63B-4 wants 15 where a password is the only factor
    #[arg(long, env, default_value = "8", global = true, value_name = "COUNT", value_parser = password_min)]
    pub password_min: usize,

    /// Addresses or networks of trusted proxies, whose X-Forwarded-For names the client
    #[arg(long, env, global = true, value_name = "ADDRESS", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,

    /// Most connections of one network at once: an IPv4 address, or a /64 of IPv6 addresses. A trusted proxy has no limit of its own
    #[arg(long, env, default_value = "64", global = true, value_name = "COUNT", value_parser = connections)]
    pub connections_per_network: usize,

    /// Name of this node, on every page and in X-Node [default: host name and port]
    #[arg(long, env, global = true, value_name = "NAME", value_parser = node_name)]
    pub node: Option<String>,

    /// File of measured figures for the frontier and the capacity view [default: those of the build, if any]
    #[arg(long, env, global = true, value_name = "FILE")]
    pub figures: Option<PathBuf>,

    /// Read the templates of the pages from this folder at every page, while you change them [default: those of the build]
    #[arg(long, env, global = true, value_name = "DIR")]
    pub templates: Option<PathBuf>,

    /// Add the demo users alice, bob and carol [default: on for loopback, off elsewhere]
    #[arg(long, env, global = true, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub demo: Option<bool>,

    /// Password of the demo users, one that people can type; adds these users [default: a known one on loopback, a random one elsewhere]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "PASSWORD")]
    pub demo_password: Option<SecretString>,

    /// Do not add the demo users
    #[arg(long, env, global = true, overrides_with = "demo")]
    pub no_demo: bool,
}

impl Settings {
    /// Whether to add the demo users. `None`: the default decides.
    pub fn demo_wanted(&self) -> Option<bool> {
        let chosen = self.demo_password.is_some().then_some(true);
        if self.no_demo { Some(false) } else { self.demo.or(chosen) }
    }

    pub fn connection_limits(&self) -> ConnectionLimits {
        ConnectionLimits {
            per_network: self.connections_per_network,
            total: CONNECTIONS,
            reserve: HEALTH_CONNECTIONS,
            trusted_proxies: TrustedProxies::new(self.trusted_proxy.clone()),
        }
    }

    /// Puts the password of the file into the address of the SQL database.
    pub fn read_database_password(mut self) -> Result<Self, PasswordFileError> {
        if let Some(file) = self.database_password_file.take() {
            let url = self.database_url.with_password(&read_password(&file)?);
            self.database_url = url.ok_or(PasswordFileError::NotForThisDatabase)?;
        }
        Ok(self)
    }

    /// Puts the passwords of the files into the addresses of both stores.
    pub fn read_passwords(self) -> Result<Self, PasswordFileError> {
        let mut this = self.read_database_password()?;
        if let Some(file) = this.redis_password_file.take() {
            let password = read_password(&file)?;
            let Some(RedisChoice::At(url)) = &this.redis_url else { return Err(PasswordFileError::NotForThisRedis) };
            let url = url.with_password(&password).ok_or(PasswordFileError::NotForThisRedis)?;
            this.redis_url = Some(RedisChoice::At(url));
        }
        Ok(this)
    }

    /// The key files: by default one for each algorithm, beside the database.
    pub fn key_files(&self) -> Vec<PathBuf> {
        if !self.jwt_key_file.is_empty() {
            return self.jwt_key_file.clone();
        }
        let name = format!("jwt-vs-session.{}.key", self.jwt_algorithm);
        vec![self.database_url.file().unwrap_or_default().with_file_name(name)]
    }
}
