//! A connection that Redis pushes to, and a proof of how fresh what was pushed is.
//!
//! What a node was told is only as good as the connection that tells it. A `PING` goes over the same connection: when
//! its answer is here, so is everything that Redis pushed before it. Until [`TRUST`] after that `PING` was sent, the
//! node may answer from what it was told; then it must ask. A channel that was cut, a Redis that stands still and a
//! node that was suspended all end in the same way: by silence.
//!
//! Nobody pays for a channel that nobody uses: without a request for ten seconds the `PING`s pause, and the next
//! request asks Redis and wakes them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::StoreError;
use super::redis::{Redis, query_over};

/// How long what was pushed may be trusted after it was proven to be complete.
const TRUST: Duration = Duration::from_millis(400);

/// What is promised to a reader: the trust, and what it takes to see that it has run out.
pub const PUSH_BOUND: Duration = TRUST.saturating_add(Duration::from_millis(100));

/// How often it is proven while it is used.
const BEAT: Duration = Duration::from_millis(100);

/// Without a request for this long the proofs pause.
const PAUSE_AFTER: Duration = Duration::from_secs(10);

/// How exactly it is known when somebody last asked.
const NOTED: Duration = Duration::from_millis(10);

/// How long the channel waits before it connects again.
const RECONNECT: Duration = Duration::from_millis(100);

/// Who is told.
#[async_trait]
pub(super) trait PushListener: Send + Sync + 'static {
    /// Asks Redis over a new connection to push, then makes good for what was missed before it.
    async fn connected(&self, connection: &mut MultiplexedConnection) -> Result<(), StoreError>;

    /// Redis pushed something. Must not block.
    fn pushed(&self, push: PushInfo);
}

/// Keeps a connection for a [`Listener`] as long as it lives.
pub(super) struct PushChannel {
    pulse: Arc<Freshness>,
    task: JoinHandle<()>,
}

impl fmt::Debug for PushChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.pulse.is_fresh_at(Freshness::now()) { "Channel(fresh)" } else { "Channel(silent)" })
    }
}

/// A clock that goes on while the machine is suspended: what was pushed before that proves nothing after it.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// When the channel was last known to be complete, and when somebody last asked. Microseconds of [`CLOCK`].
#[derive(Debug)]
struct Freshness {
    trusted_until: AtomicU64,
    /// Zero until somebody asked.
    used: AtomicU64,
    wanted: Notify,
}

impl Freshness {
    fn now() -> u64 {
        let time = clock_gettime(CLOCK);
        u64::try_from(time.tv_sec * 1_000_000 + time.tv_nsec / 1000).unwrap_or(u64::MAX)
    }

    fn is_fresh_at(&self, now: u64) -> bool {
        now < self.trusted_until.load(Ordering::Acquire)
    }

    fn is_used(&self) -> bool {
        let used = self.used.load(Ordering::Relaxed);
        used != 0 && Duration::from_micros(Self::now().saturating_sub(used)) < PAUSE_AFTER
    }
}

impl PushChannel {
    /// Connects, and connects again whenever the connection is lost. Needs a tokio runtime.
    pub fn open(redis: Redis, listener: Arc<dyn PushListener>) -> Self {
        let pulse =
            Arc::new(Freshness { trusted_until: AtomicU64::new(0), used: AtomicU64::new(0), wanted: Notify::new() });
        let task = tokio::spawn(keep(redis, listener, pulse.clone()));
        Self { pulse, task }
    }

    /// Whether what was pushed may be trusted now. Asking keeps the proofs coming.
    pub fn is_fresh(&self) -> bool {
        let pulse = &self.pulse;
        let now = Freshness::now();
        let before = pulse.used.load(Ordering::Relaxed);
        let fresh = pulse.is_fresh_at(now);
        // Not written at every request: all of them read the line that it lies on.
        if before == 0 || Duration::from_micros(now.saturating_sub(before)) >= NOTED {
            pulse.used.store(now.max(1), Ordering::Relaxed);
            // Whether the proofs pause is not asked: they may be about to. Once too often is a `PING` more.
            if !fresh {
                pulse.wanted.notify_one();
            }
        }
        fresh
    }
}

impl Drop for PushChannel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(redis: Redis, listener: Arc<dyn PushListener>, pulse: Arc<Freshness>) {
    loop {
        if let Err(error) = listen(&redis, &listener, &pulse).await {
            tracing::debug!(%error, "a channel from Redis was lost");
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

/// One connection, until it is lost.
async fn listen(redis: &Redis, listener: &Arc<dyn PushListener>, pulse: &Arc<Freshness>) -> Result<(), StoreError> {
    let (told, lost) = (listener.clone(), Arc::new(Notify::new()));
    let loss = lost.clone();
    let on_push = move |push: PushInfo| {
        if push.kind == PushKind::Disconnection {
            loss.notify_one();
        } else {
            told.pushed(push);
        }
        Ok::<_, redis::aio::SendError>(())
    };
    let mut connection = redis.dedicated(on_push).await?;
    listener.connected(&mut connection).await?;
    loop {
        if !pulse.is_used() {
            tokio::select! {
                () = pulse.wanted.notified() => {}
                () = lost.notified() => return Err(StoreError::new("Redis", "the connection was closed")),
            }
        }
        let sent = Freshness::now();
        query_over::<String>(&mut connection, &redis::cmd("PING")).await?;
        pulse.trusted_until.store(sent + u64::try_from(TRUST.as_micros()).unwrap_or(0), Ordering::Release);
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            () = lost.notified() => return Err(StoreError::new("Redis", "the connection was closed")),
        }
    }
}
