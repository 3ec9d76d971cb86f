//! A connection over which Redis pushes changes, and a proof that none of them is missing.
//!
//! The node sends a `PING` over the same connection: when its answer arrives, so has everything that Redis pushed before
//! it. Until [`TRUST`] after it sent that `PING`, the node may use its copies; after that it must read Redis. The
//! node notices a cut channel, a stalled Redis and its own suspension in the same way: no answer comes.
//!
//! An unused channel costs nothing: without a request for ten seconds the `PING`s pause. The next request reads Redis,
//! and wakes them.

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

/// How long after a `PING` its answer proves that no push is missing.
const TRUST: Duration = Duration::from_millis(400);

/// The longest staleness of a copy: `TRUST`, and what it takes to notice that it has run out.
pub const PUSH_BOUND: Duration = TRUST.saturating_add(Duration::from_millis(100));

/// The time between two `PING`s while the channel is used.
const PING_EVERY: Duration = Duration::from_millis(100);

/// Without a request for this long the `PING`s pause.
const PAUSE_AFTER: Duration = Duration::from_secs(10);

/// The node notes the time of the last request at most once in this time.
const USE_PRECISION: Duration = Duration::from_millis(10);

/// How long the channel waits before it connects again.
const RECONNECT: Duration = Duration::from_millis(100);

/// Receives what Redis pushes.
#[async_trait]
pub(super) trait PushListener: Send + Sync + 'static {
    /// Tells Redis over a new connection what to push, then catches up on what was missed before it.
    async fn connected(&self, connection: &mut MultiplexedConnection) -> Result<(), StoreError>;

    /// Takes in one push. Must not block.
    fn pushed(&self, push: PushInfo);
}

/// Keeps a connection for a [`PushListener`] until it is dropped.
pub(super) struct PushChannel {
    freshness: Arc<Freshness>,
    task: JoinHandle<()>,
}

impl fmt::Debug for PushChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.freshness.is_fresh_at(Freshness::now()) {
            "PushChannel(fresh)"
        } else {
            "PushChannel(silent)"
        })
    }
}

/// A clock that goes on while the machine is suspended: after that, an old answer proves nothing.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// Until when the copies may be used, and when a request last did. Microseconds of [`CLOCK`].
#[derive(Debug)]
struct Freshness {
    trusted_until: AtomicU64,
    /// Zero before the first request.
    used: AtomicU64,
    /// Wakes the `PING`s after a pause.
    wanted: Notify,
}

impl Freshness {
    fn new() -> Self {
        Self { trusted_until: AtomicU64::new(0), used: AtomicU64::new(0), wanted: Notify::new() }
    }

    fn now() -> u64 {
        let time = Duration::try_from(clock_gettime(CLOCK)).unwrap_or(Duration::MAX);
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
    }

    fn is_fresh_at(&self, now: u64) -> bool {
        now < self.trusted_until.load(Ordering::Acquire)
    }

    fn is_used_at(&self, now: u64) -> bool {
        let used = self.used.load(Ordering::Relaxed);
        used != 0 && Duration::from_micros(now.saturating_sub(used)) < PAUSE_AFTER
    }

    /// Notes a request. False if it has just noted another: all requests read this cache line.
    fn note_use(&self, now: u64) -> bool {
        let before = self.used.load(Ordering::Relaxed);
        let is_due = before == 0 || Duration::from_micros(now.saturating_sub(before)) >= USE_PRECISION;
        if is_due {
            self.used.store(now.max(1), Ordering::Relaxed);
        }
        is_due
    }
}

impl PushChannel {
    /// Connects, and connects again whenever the connection is lost. Needs a tokio runtime.
    pub fn open(redis: Redis, listener: Arc<dyn PushListener>) -> Self {
        let freshness = Arc::new(Freshness::new());
        let task = tokio::spawn(keep(redis, listener, freshness.clone()));
        Self { freshness, task }
    }

    /// Whether the copies may be used now. Each call keeps the `PING`s coming.
    pub fn is_fresh(&self) -> bool {
        let now = Freshness::now();
        let fresh = self.freshness.is_fresh_at(now);
        // Also when the `PING`s do not pause: they may be about to. Waking them once too often costs one `PING`.
        if self.freshness.note_use(now) && !fresh {
            self.freshness.wanted.notify_one();
        }
        fresh
    }
}

impl Drop for PushChannel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(redis: Redis, listener: Arc<dyn PushListener>, freshness: Arc<Freshness>) {
    loop {
        if let Err(error) = listen(&redis, &listener, &freshness).await {
            tracing::debug!(%error, "the server lost a push channel from Redis");
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

/// Serves one connection until it is lost.
async fn listen(redis: &Redis, listener: &Arc<dyn PushListener>, freshness: &Arc<Freshness>) -> Result<(), StoreError> {
    let (receiver, lost) = (listener.clone(), Arc::new(Notify::new()));
    let loss = lost.clone();
    let on_push = move |push: PushInfo| {
        if push.kind == PushKind::Disconnection {
            loss.notify_one();
        } else {
            receiver.pushed(push);
        }
        Ok::<_, redis::aio::SendError>(())
    };
    let mut connection = redis.dedicated(on_push).await?;
    listener.connected(&mut connection).await?;
    loop {
        if !freshness.is_used_at(Freshness::now()) {
            tokio::select! {
                () = freshness.wanted.notified() => {}
                () = lost.notified() => return Err(StoreError::unavailable(Redis::NAME, "the connection was closed")),
            }
        }
        let sent = Freshness::now();
        query_over::<String>(&mut connection, &redis::cmd("PING")).await?;
        freshness.trusted_until.store(sent + u64::try_from(TRUST.as_micros()).unwrap_or(0), Ordering::Release);
        tokio::select! {
            () = tokio::time::sleep(PING_EVERY) => {}
            () = lost.notified() => return Err(StoreError::unavailable(Redis::NAME, "the connection was closed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: u64 = 1000;
    const SECOND: u64 = 1000 * MILLISECOND;

    #[test]
    fn a_proof_is_trusted_until_its_end_and_not_before_the_first() {
        let freshness = Freshness::new();
        assert!(!freshness.is_fresh_at(0));
        freshness.trusted_until.store(5 * SECOND, Ordering::Release);
        assert!(freshness.is_fresh_at(5 * SECOND - 1));
        assert!(!freshness.is_fresh_at(5 * SECOND));
    }

    #[test]
    fn the_channel_pauses_ten_seconds_after_the_last_request() {
        let freshness = Freshness::new();
        assert!(!freshness.is_used_at(SECOND), "before the first request, also just after the start of the machine");
        freshness.note_use(SECOND);
        assert!(freshness.is_used_at(SECOND) && freshness.is_used_at(11 * SECOND - 1));
        assert!(!freshness.is_used_at(11 * SECOND));
        freshness.note_use(11 * SECOND);
        assert!(freshness.is_used_at(12 * SECOND));
    }

    #[test]
    fn a_request_is_noted_once_in_ten_milliseconds() {
        let freshness = Freshness::new();
        assert!(freshness.note_use(0), "the first, also at the start of the machine");
        assert!(freshness.is_used_at(0));
        assert!(freshness.note_use(SECOND) && !freshness.note_use(SECOND + 10 * MILLISECOND - 1));
        assert!(freshness.note_use(SECOND + 10 * MILLISECOND));
    }
}
