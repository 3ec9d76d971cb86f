//! One connection to a single Redis: made at the first command, and made again when it was lost. After a restart of Redis
//! the server first deletes every revoked login from it.
//!
//! A Redis that was restarted begins with what was on its disk, if it writes there: records that were deleted since the
//! last snapshot are back. So every store that keeps something in Redis that must stay deleted has a [`Recovery`]. No
//! command goes over a connection to a restarted Redis before the recovery is done. Commands wait meanwhile, and fail
//! after half a second.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, InfoDict, PushInfo, PushKind, RedisResult};

use super::gathering::GatheringConnection;
use super::limits::{NAME, TIME_LIMIT, in_time, limited, query_over, redis_error};
use crate::store::StoreError;

/// A hash: the run of Redis that each recovery was last done for. A snapshot holds the run before.
const RECOVERED: &str = "{jvs}:recovered";

/// The shortest time between the starts of two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Deletes what a restart of Redis brought back.
#[async_trait]
pub(in crate::store) trait Recovery: fmt::Debug + Send + Sync + 'static {
    /// Its name among the recoveries of one Redis. It names the database, too: another one has other revocations.
    async fn name(&self) -> Result<String, StoreError>;

    /// Deletes what must not be there. May run several times, on several nodes at once.
    async fn recover(&self, connection: &mut MultiplexedConnection) -> Result<(), StoreError>;
}

/// The present connection, and how to make the next one.
pub(super) struct RedisConnection {
    client: Client,
    recovery: Option<Arc<dyn Recovery>>,
    current: ArcSwapOption<ConnectAttempt>,
    /// Held while an attempt starts, so that there is only one.
    starting: Mutex<()>,
}

/// An attempt to connect: under way, connected, lost or failed.
struct ConnectAttempt {
    connection: Shared<BoxFuture<'static, Result<GatheringConnection, StoreError>>>,
    lost: Arc<AtomicBool>,
    failed: Arc<AtomicBool>,
    started: Instant,
}

impl ConnectAttempt {
    /// A failed attempt stays current for [`PAUSE`]: a recovery reads the database, which may be what is in trouble.
    fn is_current(&self) -> bool {
        let given_up = self.failed.load(Ordering::Acquire) && self.started.elapsed() > PAUSE;
        !given_up && !self.lost.load(Ordering::Acquire)
    }

    fn lose(&self) {
        self.lost.store(true, Ordering::Release);
    }

    async fn connected(&self) -> Result<GatheringConnection, StoreError> {
        self.connection.clone().await.inspect_err(|_| self.failed.store(true, Ordering::Release))
    }

    async fn send<T>(
        &self,
        mut connection: GatheringConnection,
        call: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, StoreError> {
        // A caller that gives up drops this with the call: it is unknown whether the other side is still there.
        let mut unanswered = UnansweredCall { attempt: Some(self), since: Instant::now() };
        let answer = call(&mut connection.commands).await;
        unanswered.attempt = None;
        answer.map_err(|failed| {
            if failed.is_timeout() || failed.is_unrecoverable_error() {
                self.lose();
            }
            redis_error(failed)
        })
    }
}

/// A call that has no answer yet. Dropped without one, it gives the connection up: a machine that vanished says nothing,
/// and the system would wait for it for a quarter of an hour. To a Redis that only stood still the server reconnects.
struct UnansweredCall<'a> {
    attempt: Option<&'a ConnectAttempt>,
    since: Instant,
}

impl Drop for UnansweredCall<'_> {
    fn drop(&mut self) {
        // A browser that goes away early proves nothing.
        if let Some(attempt) = self.attempt
            && self.since.elapsed() > TIME_LIMIT / 2
        {
            attempt.lose();
        }
    }
}

impl RedisConnection {
    /// Does not connect yet.
    pub fn new(client: Client, recovery: Option<Arc<dyn Recovery>>) -> Self {
        Self { client, recovery, current: ArcSwapOption::empty(), starting: Mutex::new(()) }
    }

    /// Another connection to the same Redis, which carries no command before `recovery` is done.
    pub fn recovered_by(&self, recovery: Arc<dyn Recovery>) -> Self {
        Self::new(self.client.clone(), Some(recovery))
    }

    /// Opens further connections to the same Redis.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Makes one call over the connection. A single command takes no longer than [`TIME_LIMIT`], and waits no longer for
    /// a connection.
    pub async fn call<T>(
        &self,
        call: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, StoreError> {
        let attempt = self.attempt();
        match attempt.connection.peek() {
            // The connection limits each command by itself. A second limit is a second timer at every request.
            Some(Ok(made)) => attempt.send(made.clone(), call).await,
            _ => Box::pin(in_time(async { attempt.send(attempt.connected().await?, call).await })).await,
        }
    }

    /// The current attempt; starts a new one if there is none.
    fn attempt(&self) -> Arc<ConnectAttempt> {
        let current = || self.current.load_full().filter(|attempt| attempt.is_current());
        current().unwrap_or_else(|| {
            let _starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
            current().unwrap_or_else(|| {
                let attempt = Arc::new(self.start());
                self.current.store(Some(attempt.clone()));
                attempt
            })
        })
    }

    /// Connects in a task of its own: every caller that waits for it may give up, and the recovery goes on.
    fn start(&self) -> ConnectAttempt {
        let lost = Arc::new(AtomicBool::new(false));
        let failed = Arc::new(AtomicBool::new(false));
        let (connecting, noted) = (connect(self.client.clone(), self.recovery.clone(), lost.clone()), failed.clone());
        // Noted here, too: every caller that waits for it may have given up.
        let task = tokio::spawn(async move { connecting.await.inspect_err(|_| noted.store(true, Ordering::Release)) });
        let connection =
            async move { task.await.unwrap_or_else(|panicked| Err(StoreError::unavailable(NAME, &panicked))) };
        ConnectAttempt { connection: connection.boxed().shared(), lost, failed, started: Instant::now() }
    }
}

async fn connect(
    client: Client,
    recovery: Option<Arc<dyn Recovery>>,
    lost: Arc<AtomicBool>,
) -> Result<GatheringConnection, StoreError> {
    let on_push = move |push: PushInfo| {
        if push.kind == PushKind::Disconnection {
            lost.store(true, Ordering::Release);
        }
        Ok::<_, redis::aio::SendError>(())
    };
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(TIME_LIMIT))
        .set_response_timeout(Some(TIME_LIMIT))
        .set_pipeline_buffer_size(1024)
        .set_push_sender(on_push);
    let connected = limited(GatheringConnection::open(&client, &config)).await;
    let mut connection = connected?;
    if let Some(recovery) = recovery {
        recover_once(&*recovery, &mut connection.commands).await.inspect_err(|error| {
            tracing::warn!(%error, "the server does not use Redis yet: it could not delete what a restart may have brought back");
        })?;
    }
    Ok(connection)
}

/// Runs the recovery, unless it ran since Redis was started.
async fn recover_once(recovery: &dyn Recovery, connection: &mut MultiplexedConnection) -> Result<(), StoreError> {
    let info: InfoDict = query_over(connection, redis::cmd("INFO").arg("server")).await?;
    let run: Option<String> = info.get("run_id");
    let name = recovery.name().await?;
    let done: Option<String> = query_over(connection, redis::cmd("HGET").arg(RECOVERED).arg(&name)).await?;
    if run.is_some() && run == done {
        return Ok(());
    }
    recovery.recover(connection).await?;
    if let Some(run) = run {
        // The note only saves work: a full Redis that refuses it can still be read.
        let noted = query_over::<i64>(connection, redis::cmd("HSET").arg(RECOVERED).arg(&name).arg(run)).await;
        let _ = noted.inspect_err(|error| tracing::debug!(%error, "the server could not note the recovery in Redis"));
    }
    Ok(())
}
