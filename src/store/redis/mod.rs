//! Redis: a connection that reconnects by itself, and never makes a request wait for more than half a second.
//!
//! [`Redis`] is what the stores use. A single Redis is reached through `connection.rs`, which also keeps a restarted
//! Redis from being read too early, and shares system calls between commands (`gathering.rs`). `limits.rs` holds the time limit, `url.rs` reads the address, `info.rs` reads what
//! Redis says of itself.

pub(super) mod connection;
mod gathering;
mod info;
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
use self::limits::{NAME, TIME_LIMIT, in_time, limited, redis_error};
pub(super) use self::limits::{query_over, run_over};
pub use self::url::{RedisUrl, RedisUrlError};
use super::StoreError;
use super::latency::add_latency;
use crate::trace::count_store_call;

/// A connection that many requests share. Clones use the same one.
#[derive(Clone)]
pub struct Redis(RedisTarget);

#[derive(Clone)]
enum RedisTarget {
    Single(Arc<RedisConnection>),
    Cluster(Arc<Cluster>),
    /// Behind a delay, for experiments.
    Delayed(Arc<Redis>, Duration),
    /// The server runs without Redis.
    Absent,
}

/// Connects at the first use: when the cluster is away, requests fail, and the server still starts.
struct Cluster {
    client: ClusterClient,
    connection: OnceCell<ClusterConnection>,
}

impl Cluster {
    fn new(client: ClusterClient) -> Self {
        Self { client, connection: OnceCell::new() }
    }

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
    /// The product's name, for pages and errors.
    pub const NAME: &'static str = NAME;

    /// Prepares the connection; the first command makes it. Needs a tokio runtime.
    pub fn open(url: &RedisUrl) -> Result<Self, StoreError> {
        // Two providers could be linked in; rediss:// must not depend on which one. A second call changes nothing.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let target = match url.0.as_slice() {
            [single] => {
                let client = Client::open(single.clone()).map_err(redis_error)?;
                RedisTarget::Single(Arc::new(RedisConnection::new(client, None)))
            }
            nodes => {
                let client = ClusterClient::builder(nodes.to_vec())
                    .connection_timeout(TIME_LIMIT)
                    .response_timeout(TIME_LIMIT)
                    .use_protocol(ProtocolVersion::RESP3)
                    .build()
                    .map_err(redis_error)?;
                RedisTarget::Cluster(Arc::new(Cluster::new(client)))
            }
        };
        Ok(Self(target))
    }

    /// No Redis: every command fails and says so.
    pub fn absent() -> Self {
        Self(RedisTarget::Absent)
    }

    /// The same Redis over another connection, which carries no command before `recovery` is done.
    ///
    /// Without effect on a cluster, whose nodes restart, and take over from each other, one by one.
    pub(super) fn recovered_by(&self, recovery: Arc<dyn Recovery>) -> Self {
        match &self.0 {
            RedisTarget::Single(connection) => Self(RedisTarget::Single(Arc::new(connection.recovered_by(recovery)))),
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

    fn is_cluster(&self) -> bool {
        matches!(self.0, RedisTarget::Cluster(_))
    }

    /// The same connection behind a delay, for experiments: each command first waits for this round trip. What Redis
    /// pushes comes as fast as before.
    #[must_use]
    pub fn with_latency(&self, round_trip: Duration) -> Self {
        if round_trip.is_zero() || self.is_absent() {
            self.clone()
        } else {
            Self(RedisTarget::Delayed(Arc::new(self.clone()), round_trip))
        }
    }

    /// Connects once to each address. The error says what is wrong with an address: a connection that reconnects by
    /// itself keeps the reason.
    pub async fn probe(url: &RedisUrl) -> Result<(), StoreError> {
        for info in &url.0 {
            let client = Client::open(info.clone()).map_err(redis_error)?;
            limited(async { client.get_multiplexed_async_connection().await.map(drop) }).await?;
        }
        Ok(())
    }

    /// Sends one command. Fails after half a second; then it is unknown whether Redis carried it out.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        match &self.0 {
            RedisTarget::Single(connection) => {
                count_store_call();
                connection.call(async |over| command.query_async(over).await).await
            }
            // Boxed: room for these in every request's future would be more than the rest of it.
            RedisTarget::Cluster(cluster) => {
                count_store_call();
                Box::pin(limited(async { command.query_async(&mut cluster.connection().await?).await })).await
            }
            RedisTarget::Delayed(redis, round_trip) => {
                Box::pin(async {
                    add_latency(*round_trip).await;
                    redis.query(command).await
                })
                .await
            }
            RedisTarget::Absent => Err(StoreError::Absent { store: NAME }),
        }
    }

    /// Runs a script, which Redis carries out in one step. It counts as one call. The library sends a second command if
    /// Redis does not have the script yet, so the time limit is around both.
    pub async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        match &self.0 {
            RedisTarget::Single(connection) => {
                count_store_call();
                in_time(connection.call(async |over| script.invoke_async(over).await)).await
            }
            RedisTarget::Cluster(cluster) => {
                count_store_call();
                limited(async { script.invoke_async(&mut cluster.connection().await?).await }).await
            }
            RedisTarget::Delayed(redis, round_trip) => {
                add_latency(*round_trip).await;
                Box::pin(redis.run(script)).await
            }
            RedisTarget::Absent => Err(StoreError::Absent { store: NAME }),
        }
    }

    /// Opens a connection for one owner, and hands over what Redis pushes. Fails on a cluster, whose nodes each push for
    /// themselves.
    pub(super) async fn dedicated(&self, on_push: impl AsyncPushSender) -> Result<MultiplexedConnection, StoreError> {
        let Some(client) = self.client() else {
            return Err(StoreError::unavailable(NAME, "only a single Redis pushes"));
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIME_LIMIT))
            .set_response_timeout(Some(TIME_LIMIT))
            .set_push_sender(on_push);
        limited(client.get_multiplexed_async_connection_with_config(&config)).await
    }

    fn client(&self) -> Option<&Client> {
        match &self.0 {
            RedisTarget::Single(connection) => Some(connection.client()),
            RedisTarget::Delayed(redis, _) => redis.client(),
            RedisTarget::Cluster(_) | RedisTarget::Absent => None,
        }
    }

    /// Checks that Redis answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.query::<String>(&redis::cmd("PING")).await.map(drop)
    }
}
