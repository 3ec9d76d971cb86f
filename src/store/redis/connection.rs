//! One connection to a Redis: made when it is needed, made anew when it was lost, and not used before it is known what a
//! restart of Redis brought back.
//!
//! A Redis that was restarted begins with what was on its disk, if it writes there: records that were deleted since the
//! last snapshot are back. So whoever keeps something in Redis that must stay deleted has a [`Recovery`], and no command
//! goes over a connection to a restarted Redis before the recovery is done. What is asked meanwhile waits, and is an
//! error after half a second, never an answer.

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

use super::limits::{NAME, TIME_LIMIT, error, in_time, limited, query_over};
use crate::store::StoreError;

/// A hash: which run of Redis each recovery was last done for. A snapshot holds the run before.
const RECOVERED: &str = "{jvs}:recovered";

/// Between the beginnings of two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Makes good what a restart of Redis brought back.
#[async_trait]
pub(in crate::store) trait Recovery: fmt::Debug + Send + Sync + 'static {
    /// A name of its own among the recoveries of one Redis: another database knows of other ends.
    async fn name(&self) -> Result<String, StoreError>;

    /// Deletes what must not be there. May be done several times, by several nodes at once.
    async fn recover(&self, connection: &mut MultiplexedConnection) -> Result<(), StoreError>;
}

/// The connection and the way to a new one.
pub(super) struct RedisConnection {
    client: Client,
    recovery: Option<Arc<dyn Recovery>>,
    current: ArcSwapOption<ConnectAttempt>,
    /// Held while a new attempt begins, so that there is one.
    beginning: Mutex<()>,
}

/// A connection that is being made, or is made, or could not be made.
struct ConnectAttempt {
    connection: Shared<BoxFuture<'static, Result<MultiplexedConnection, StoreError>>>,
    lost: Arc<AtomicBool>,
    failed: Arc<AtomicBool>,
    begun: Instant,
}

impl ConnectAttempt {
    /// What failed is not tried again at once: a recovery reads the database, and that may be what is in trouble.
    fn is_current(&self) -> bool {
        let given_up = self.failed.load(Ordering::Acquire) && self.begun.elapsed() > PAUSE;
        !given_up && !self.lost.load(Ordering::Acquire)
    }

    fn lose(&self) {
        self.lost.store(true, Ordering::Release);
    }

    async fn connected(&self) -> Result<MultiplexedConnection, StoreError> {
        self.connection.clone().await.inspect_err(|_| self.failed.store(true, Ordering::Release))
    }

    async fn ask<T>(
        &self,
        mut connection: MultiplexedConnection,
        call: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, StoreError> {
        // A caller that gave up waiting drops this with the call: nobody knows whether the other side is still there.
        let mut unanswered = Unanswered { attempt: Some(self), since: Instant::now() };
        let answer = call(&mut connection).await;
        unanswered.attempt = None;
        answer.map_err(|failed| {
            if failed.is_timeout() || failed.is_unrecoverable_error() {
                self.lose();
            }
            error(failed)
        })
    }
}

/// A call that has no answer yet. Without one the connection is given up: a machine that vanished says nothing, and the
/// system would wait for it for a quarter of an hour. A Redis that only stood still is connected to again.
struct Unanswered<'a> {
    attempt: Option<&'a ConnectAttempt>,
    since: Instant,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        // A visitor who goes away early proves nothing.
        if let Some(attempt) = self.attempt
            && self.since.elapsed() > TIME_LIMIT / 2
        {
            attempt.lose();
        }
    }
}

impl RedisConnection {
    /// Nothing is connected yet.
    pub fn new(client: Client, recovery: Option<Arc<dyn Recovery>>) -> Self {
        Self { client, recovery, current: ArcSwapOption::empty(), beginning: Mutex::new(()) }
    }

    /// To the same Redis, over a connection of its own that is not used before `recovery` is done.
    pub fn recovered_by(&self, recovery: Arc<dyn Recovery>) -> Self {
        Self::new(self.client.clone(), Some(recovery))
    }

    /// The client, for connections that are somebody's own.
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
            Some(Ok(made)) => attempt.ask(made.clone(), call).await,
            _ => Box::pin(in_time(async { attempt.ask(attempt.connected().await?, call).await })).await,
        }
    }

    /// The attempt that is under way or succeeded; a new one if the connection was lost.
    fn attempt(&self) -> Arc<ConnectAttempt> {
        let good = || self.current.load_full().filter(|attempt| attempt.is_current());
        good().unwrap_or_else(|| {
            let _beginning = self.beginning.lock().unwrap_or_else(PoisonError::into_inner);
            good().unwrap_or_else(|| {
                let attempt = Arc::new(self.begin());
                self.current.store(Some(attempt.clone()));
                attempt
            })
        })
    }

    /// In a task of its own: whoever waits for it may give up, and the recovery goes on.
    fn begin(&self) -> ConnectAttempt {
        let lost = Arc::new(AtomicBool::new(false));
        let failed = Arc::new(AtomicBool::new(false));
        let (connecting, noted) = (connect(self.client.clone(), self.recovery.clone(), lost.clone()), failed.clone());
        // Noted here, too: everybody who waits for it may have given up.
        let task = tokio::spawn(async move { connecting.await.inspect_err(|_| noted.store(true, Ordering::Release)) });
        let connection = async move { task.await.unwrap_or_else(|panicked| Err(StoreError::new(NAME, &panicked))) };
        ConnectAttempt { connection: connection.boxed().shared(), lost, failed, begun: Instant::now() }
    }
}

async fn connect(
    client: Client,
    recovery: Option<Arc<dyn Recovery>>,
    lost: Arc<AtomicBool>,
) -> Result<MultiplexedConnection, StoreError> {
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
    let connected = limited(client.get_multiplexed_async_connection_with_config(&config)).await;
    let mut connection = connected?;
    if let Some(recovery) = recovery {
        recover_once(&*recovery, &mut connection).await.inspect_err(|error| {
            tracing::warn!(%error, "Redis is not used yet: what a restart may have brought back could not be taken out");
        })?;
    }
    Ok(connection)
}

/// Recovers, unless that was done since Redis was started.
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
        // It only saves work: a Redis that is full and refuses it can still be read.
        let noted = query_over::<i64>(connection, redis::cmd("HSET").arg(RECOVERED).arg(&name).arg(run)).await;
        let _ = noted.inspect_err(|error| tracing::debug!(%error, "that Redis was recovered could not be noted"));
    }
    Ok(())
}
