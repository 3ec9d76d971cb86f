//! What the strategies are made of: the key, the stores, the limits. A node builds each entry of its list from them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::StartError;
use crate::auth::{AuthStrategy, Backend, Keys, KeysError, SessionLimits, SigningAlgorithm};
use crate::clock::Clock;
use crate::config::{RedisChoice, Settings};
use crate::flow::StoreStatus;
use crate::store::sessions::LoginStore;
use crate::store::{PrivateRedis, Redis, RedisUrl, Sql};

/// An entry of the list of strategies: builds the strategy from the resources of one node.
pub type StrategyEntry = fn(&Resources) -> BuiltStrategy;

/// A strategy, and its records where it keeps one for each login: the contract suite compares the two.
#[derive(Clone)]
pub struct BuiltStrategy {
    pub strategy: Arc<dyn AuthStrategy>,
    pub records: Option<Arc<dyn LoginStore>>,
}

impl<S: AuthStrategy> From<S> for BuiltStrategy {
    fn from(strategy: S) -> Self {
        Self { strategy: Arc::new(strategy), records: None }
    }
}

/// Everything that the settings name, opened.
#[derive(Clone)]
pub struct Resources {
    /// The strategies that the node builds from the rest.
    pub(super) list: &'static [StrategyEntry],
    pub keys: Arc<Keys>,
    pub sql: Sql,
    pub redis: Option<Redis>,
    /// The life of an access token.
    pub life: Duration,
    /// The life of an access token under `jwt-refresh`.
    pub short_life: Duration,
    /// The life of a login under `jwt-refresh`.
    pub login_life: Duration,
    pub limits: SessionLimits,
    pub clock: Clock,
    /// Where each store is, in words.
    pub(super) states: Vec<StoreStatus>,
    /// Where Redis is: a second node connects there too.
    pub(super) redis_url: Option<RedisUrl>,
}

impl Resources {
    /// Opens the stores. A private Redis is the caller's to stop, after everything else.
    pub(super) async fn open(
        settings: &Settings,
        clock: Clock,
        list: &'static [StrategyEntry],
    ) -> Result<(Self, Option<PrivateRedis>), StartError> {
        // Opens the database first: its error names a missing folder.
        let sql = open_sql(settings).await?;
        let keys = Arc::new(keys(settings)?);
        let (redis_url, private_redis, redis_state) = find_redis(settings).await?;
        let redis = redis_url.as_ref().map(Redis::open).transpose().map_err(StartError::Redis)?;
        let database =
            StoreStatus { name: sql.name(), state: settings.database_url.to_string(), backend: Some(Backend::Sql) };
        let resources = Self {
            list,
            keys,
            sql,
            redis,
            life: settings.access_ttl,
            short_life: settings.short_ttl,
            login_life: settings.refresh_ttl,
            limits: SessionLimits { idle: settings.session_idle, absolute: settings.session_absolute },
            clock,
            states: vec![redis_state, database],
            redis_url,
        };
        Ok((resources, private_redis))
    }

    /// The same stores over connections of their own, as on another node.
    pub(super) async fn second_node(&self, settings: &Settings) -> Result<Self, StartError> {
        let sql = open_sql(settings).await?;
        let redis = self.redis_url.as_ref().map(Redis::open).transpose().map_err(StartError::Redis)?;
        Ok(Self { sql, redis, ..self.clone() })
    }

    pub(super) fn build(&self) -> Vec<BuiltStrategy> {
        self.list.iter().map(|entry| entry(self)).collect()
    }

    /// Redis. Without one, every command fails and says so.
    pub fn redis(&self) -> Redis {
        self.redis.clone().unwrap_or_else(Redis::absent)
    }
}

async fn open_sql(settings: &Settings) -> Result<Sql, StartError> {
    let sql = Sql::open(&settings.database_url).await;
    sql.map_err(|error| StartError::Database(settings.database_url.to_string(), error))
}

fn keys(settings: &Settings) -> Result<Keys, KeysError> {
    match (&settings.jwt_secret, settings.jwt_algorithm) {
        (Some(_), _) if !settings.jwt_key_file.is_empty() => Err(KeysError::SecretAndFile),
        (Some(secret), SigningAlgorithm::Hs256) => Keys::from_secret(secret),
        (Some(_), other) => Err(KeysError::SecretForKeyPair(other)),
        (None, algorithm) => Keys::from_files(&settings.key_files(), algorithm),
    }
}

/// Finds Redis: its address, the process if it is a private one, and the words for the home page.
async fn find_redis(settings: &Settings) -> Result<(Option<RedisUrl>, Option<PrivateRedis>, StoreStatus), StartError> {
    let state = |state: String, backend| StoreStatus { name: Redis::NAME, state, backend };
    match &settings.redis_url {
        Some(RedisChoice::None) => Ok((None, None, state("was turned off with --redis-url none".to_owned(), None))),
        Some(RedisChoice::At(url)) => {
            warn_of(url).await;
            Ok((Some(url.clone()), None, state(format!("at {url}"), Some(Backend::Redis))))
        }
        None => match PrivateRedis::start().await.map_err(StartError::PrivateRedis)? {
            Some(private) => {
                let url = private.url().map_err(|error| StartError::PrivateRedis(io::Error::other(error)))?;
                let words = "a private redis-server on a Unix socket, stopped with this server".to_owned();
                Ok((Some(url), Some(private), state(words, Some(Backend::Redis))))
            }
            None => {
                tracing::warn!("redis-server is not on PATH: /session keeps its sessions in process memory");
                Ok((None, None, state("is not here: redis-server is not on PATH".to_owned(), None)))
            }
        },
    }
}

/// Logs what is wrong with a Redis that somebody else runs.
async fn warn_of(url: &RedisUrl) {
    if let Err(error) = Redis::probe(url).await {
        tracing::warn!("{error}; strategies that need it answer 503 until it is");
        return;
    }
    let Ok(redis) = Redis::open(url) else { return };
    for warning in redis.warnings().await {
        tracing::warn!("{warning}");
    }
}
