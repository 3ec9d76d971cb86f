//! Waits to the microsecond; and the delay of a store that is far away, for experiments: loopback flatters every strategy
//! that reads a store.

use std::time::{Duration, Instant};

/// Polls the clock for the last 3 ms of a wait and sleeps before: the runtime's timers are too coarse.
const POLLED: Duration = Duration::from_millis(3);

/// Waits for one round trip.
pub(super) async fn add_latency(round_trip: Duration) {
    if !round_trip.is_zero() {
        wait_until(Instant::now() + round_trip).await;
    }
}

/// Waits until this moment, and lets other tasks run at least once.
pub(crate) async fn wait_until(end: Instant) {
    if let Some(long) = end.saturating_duration_since(Instant::now()).checked_sub(POLLED) {
        tokio::time::sleep(long).await;
    }
    tokio::task::yield_now().await;
    while Instant::now() < end {
        tokio::task::yield_now().await;
    }
}
