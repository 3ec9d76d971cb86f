//! A connection to Redis that reconnects by itself and never makes a request wait for more than half a second.

mod url;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, ProtocolVersion, ScriptInvocation};
use tokio::sync::OnceCell;

pub use self::url::RedisUrl;
use super::StoreError;
use super::link::{Link, Recovery};
use super::slow::as_over_a_network;

/// The name that pages and errors use.
pub(super) const NAME: &str = "Redis";

/// No call takes longer, whatever it is waiting for (a reply, a reconnect).
pub(super) const TIME_LIMIT: Duration = Duration::from_millis(500);

/// A shared connection. Clones use the same one.
#[derive(Clone)]
pub struct Redis(Connection);

#[derive(Clone)]
enum Connection {
    One(Arc<Link>),
    Cluster(Arc<Cluster>),
    Slowed(Arc<Redis>, Duration),
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
            [one] => Connection::One(Arc::new(Link::new(Client::open(one.clone()).map_err(error)?, None))),
            nodes => {
                let client = ClusterClient::builder(nodes.to_vec())
                    .connection_timeout(TIME_LIMIT)
                    .response_timeout(TIME_LIMIT)
                    .use_protocol(ProtocolVersion::RESP3)
                    .build()
                    .map_err(error)?;
                Connection::Cluster(Arc::new(Cluster { client, connection: OnceCell::new() }))
            }
        };
        Ok(Self(connection))
    }

    /// No Redis: every command fails and says so.
    pub fn absent() -> Self {
        Self(Connection::Absent)
    }

    /// The same Redis over a connection of its own, that is not used before `recovery` is done.
    ///
    /// Not with a cluster: its nodes restart and take over from each other for themselves.
    pub(super) fn recovered_by(&self, recovery: Arc<dyn Recovery>) -> Self {
        match &self.0 {
            Connection::One(link) => Self(Connection::One(Arc::new(link.recovered_by(recovery)))),
            Connection::Slowed(redis, round_trip) => {
                Self(Connection::Slowed(Arc::new(redis.recovered_by(recovery)), *round_trip))
            }
            Connection::Cluster(_) | Connection::Absent => self.clone(),
        }
    }

    /// Whether the server runs without it.
    pub fn is_absent(&self) -> bool {
        matches!(self.0, Connection::Absent)
    }

    /// The same connection as over a network: each command waits that long first. For experiments only. What Redis
    /// pushes comes as fast as before.
    #[must_use]
    pub fn slowed(&self, round_trip: Duration) -> Self {
        if round_trip.is_zero() || self.is_absent() {
            self.clone()
        } else {
            Self(Connection::Slowed(Arc::new(self.clone()), round_trip))
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
        match &self.0 {
            Connection::One(link) => link.call(async |over| command.query_async(over).await).await,
            // Put aside: room for these in every request's future would be more than the rest of it.
            Connection::Cluster(cluster) => {
                Box::pin(limited(async { command.query_async(&mut cluster.connection().await?).await })).await
            }
            Connection::Slowed(redis, round_trip) => {
                Box::pin(async {
                    as_over_a_network(*round_trip).await;
                    redis.query(command).await
                })
                .await
            }
            Connection::Absent => Err(StoreError::Absent { store: NAME }),
        }
    }

    /// Runs a script, which Redis carries out in one step. It may be two commands, if Redis does not know the script yet:
    /// so the limit is around all of it.
    pub async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        match &self.0 {
            Connection::One(link) => in_time(link.call(async |over| script.invoke_async(over).await)).await,
            Connection::Cluster(cluster) => {
                limited(async { script.invoke_async(&mut cluster.connection().await?).await }).await
            }
            Connection::Slowed(redis, round_trip) => {
                as_over_a_network(*round_trip).await;
                Box::pin(redis.run(script)).await
            }
            Connection::Absent => Err(StoreError::Absent { store: NAME }),
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
            Connection::One(link) => Some(link.client()),
            Connection::Slowed(redis, _) => redis.client(),
            Connection::Cluster(_) | Connection::Absent => None,
        }
    }

    /// Sends one command over such a connection.
    pub(super) async fn query_over<T: FromRedisValue>(
        connection: &mut MultiplexedConnection,
        command: &Cmd,
    ) -> Result<T, StoreError> {
        limited(command.query_async(connection)).await
    }

    /// Runs a script over such a connection.
    pub(super) async fn run_over<T: FromRedisValue>(
        connection: &mut MultiplexedConnection,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        limited(script.invoke_async(connection)).await
    }

    /// Under which policy keys are evicted when memory is full, if it is an evicting one.
    ///
    /// With one, any key may be gone at any time: what is not there proves nothing.
    /// Not read of a cluster, whose nodes may each have another.
    pub async fn evicting_policy(&self) -> Result<Option<String>, StoreError> {
        if matches!(self.0, Connection::Cluster(_)) {
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
        if matches!(self.0, Connection::Cluster(_)) {
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

/// The library's own limits do not cover everything it waits for, so there is one around every call.
pub(super) async fn limited<T>(call: impl Future<Output = redis::RedisResult<T>>) -> Result<T, StoreError> {
    in_time(async { call.await.map_err(error) }).await
}

pub(super) async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(TIME_LIMIT, call)
        .await
        .unwrap_or_else(|_| Err(StoreError::new(NAME, &format_args!("no answer within {} ms", TIME_LIMIT.as_millis()))))
}

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
pub(super) fn error(error: redis::RedisError) -> StoreError {
    StoreError::new(NAME, &error)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    /// On a clock that goes ahead by itself when everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_is_given_up_within_a_second() {
        let answer = tokio::time::timeout(Duration::from_secs(1), in_time(pending::<Result<(), _>>())).await;
        assert!(answer.expect("an answer within a second").is_err());
    }
}
