//! A connection to Redis that reconnects by itself and never makes a request wait for more than half a second.

pub(super) mod connection;
mod limits;
mod url;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, ProtocolVersion, ScriptInvocation};
use tokio::sync::OnceCell;

use self::connection::{Recovery, RedisConnection};
use self::limits::{NAME, TIME_LIMIT, error, in_time, limited};
pub(super) use self::limits::{query_over, run_over};
pub use self::url::RedisUrl;
use super::StoreError;
use super::latency::add_latency;
use crate::trace::count_store_call;

/// A shared connection. Clones use the same one.
#[derive(Clone)]
pub struct Redis(RedisTarget);

#[derive(Clone)]
enum RedisTarget {
    One(Arc<RedisConnection>),
    Cluster(Arc<Cluster>),
    Delayed(Arc<Redis>, Duration),
    Absent,
}

/// Connected at the first use, so that an absent cluster is a failed request and not a failed start.
struct Cluster {
    client: ClusterClient,
    connection: OnceCell<ClusterConnection>,
}

impl Cluster {
    async fn connection(&self) -> redis::RedisResult<ClusterConnection> {
        self.connection.get_or_try_init(|| self.client.get_async_connection()).await.cloned()
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

impl Redis {
    /// Prepares the connection; it is made at the first command. Needs a tokio runtime.
    pub fn open(url: &RedisUrl) -> Result<Self, StoreError> {
        // Two providers could be linked in; rediss:// must not depend on which one. A second call changes nothing.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let connection = match url.0.as_slice() {
            [one] => RedisTarget::One(Arc::new(RedisConnection::new(Client::open(one.clone()).map_err(error)?, None))),
            nodes => {
                let client = ClusterClient::builder(nodes.to_vec())
                    .connection_timeout(TIME_LIMIT)
                    .response_timeout(TIME_LIMIT)
                    .use_protocol(ProtocolVersion::RESP3)
                    .build()
                    .map_err(error)?;
                RedisTarget::Cluster(Arc::new(Cluster { client, connection: OnceCell::new() }))
            }
        };
        Ok(Self(connection))
    }

    /// No Redis: every command fails and says so.
    pub fn absent() -> Self {
        Self(RedisTarget::Absent)
    }

    /// The same Redis over a connection of its own, that is not used before `recovery` is done.
    ///
    /// Not with a cluster: its nodes restart and take over from each other for themselves.
    pub(super) fn recovered_by(&self, recovery: Arc<dyn Recovery>) -> Self {
        match &self.0 {
            RedisTarget::One(link) => Self(RedisTarget::One(Arc::new(link.recovered_by(recovery)))),
            RedisTarget::Delayed(redis, round_trip) => {
                Self(RedisTarget::Delayed(Arc::new(redis.recovered_by(recovery)), *round_trip))
            }
            RedisTarget::Cluster(_) | RedisTarget::Absent => self.clone(),
        }
    }

    /// Whether the server runs without it.
    pub fn is_absent(&self) -> bool {
        matches!(self.0, RedisTarget::Absent)
    }

    /// The same connection as over a network: each command waits that long first. For experiments only. What Redis
    /// pushes comes as fast as before.
    #[must_use]
    pub fn with_latency(&self, round_trip: Duration) -> Self {
        if round_trip.is_zero() || self.is_absent() {
            self.clone()
        } else {
            Self(RedisTarget::Delayed(Arc::new(self.clone()), round_trip))
        }
    }

    /// Tries the address once, to tell what is wrong with it: a connection that reconnects by itself keeps the reason.
    pub async fn probe(url: &RedisUrl) -> Result<(), StoreError> {
        for info in &url.0 {
            let client = Client::open(info.clone()).map_err(error)?;
            limited(async { client.get_multiplexed_async_connection().await.map(drop) }).await?;
        }
        Ok(())
    }

    /// Sends one command. At most half a second; then nobody knows whether it was carried out.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        count_store_call();
        self.send(command).await
    }

    async fn send<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        match &self.0 {
            RedisTarget::One(link) => link.call(async |over| command.query_async(over).await).await,
            // Put aside: room for these in every request's future would be more than the rest of it.
            RedisTarget::Cluster(cluster) => {
                Box::pin(limited(async { command.query_async(&mut cluster.connection().await?).await })).await
            }
            RedisTarget::Delayed(redis, round_trip) => {
                Box::pin(async {
                    add_latency(*round_trip).await;
                    redis.send(command).await
                })
                .await
            }
            RedisTarget::Absent => Err(StoreError::Absent { store: NAME }),
        }
    }

    /// Runs a script, which Redis carries out in one step. It may be two commands, if Redis does not know the script yet:
    /// so the limit is around all of it.
    pub async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        count_store_call();
        self.invoke(script).await
    }

    async fn invoke<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        match &self.0 {
            RedisTarget::One(link) => in_time(link.call(async |over| script.invoke_async(over).await)).await,
            RedisTarget::Cluster(cluster) => {
                limited(async { script.invoke_async(&mut cluster.connection().await?).await }).await
            }
            RedisTarget::Delayed(redis, round_trip) => {
                add_latency(*round_trip).await;
                Box::pin(redis.invoke(script)).await
            }
            RedisTarget::Absent => Err(StoreError::Absent { store: NAME }),
        }
    }

    /// A connection of its own, that hands over what Redis pushes. Not with a cluster: its nodes push for themselves.
    pub(super) async fn dedicated(&self, on_push: impl AsyncPushSender) -> Result<MultiplexedConnection, StoreError> {
        let Some(client) = self.client() else {
            return Err(StoreError::new(NAME, "only a single Redis pushes"));
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIME_LIMIT))
            .set_response_timeout(Some(TIME_LIMIT))
            .set_push_sender(on_push);
        limited(client.get_multiplexed_async_connection_with_config(&config)).await
    }

    fn client(&self) -> Option<&Client> {
        match &self.0 {
            RedisTarget::One(link) => Some(link.client()),
            RedisTarget::Delayed(redis, _) => redis.client(),
            RedisTarget::Cluster(_) | RedisTarget::Absent => None,
        }
    }

    /// Under which policy keys are evicted when memory is full, if it is an evicting one.
    ///
    /// With one, any key may be gone at any time: what is not there proves nothing.
    /// Not read of a cluster, whose nodes may each have another.
    pub async fn evicting_policy(&self) -> Result<Option<String>, StoreError> {
        if matches!(self.0, RedisTarget::Cluster(_)) {
            return Ok(None);
        }
        let memory: redis::InfoDict = self.query(redis::cmd("INFO").arg("memory")).await?;
        let policy = memory.get::<String>("maxmemory_policy");
        Ok(policy.filter(|policy| policy != "noeviction"))
    }

    /// What this Redis is set up to do that costs a promise, a sentence each; as far as it may be asked.
    pub async fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Ok(Some(policy)) = self.evicting_policy().await {
            warnings.push(format!("Redis evicts keys when its memory is full ({policy}): logins may end early."));
        }
        if matches!(self.0, RedisTarget::Cluster(_)) {
            warnings.push(
                "Redis is a cluster: a replica that takes over, or a node that restores a snapshot, may bring back \
                 logins that were ended shortly before."
                    .to_owned(),
            );
        }
        warnings
    }

    /// Whether Redis answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.query::<String>(&redis::cmd("PING")).await.map(drop)
    }
}
