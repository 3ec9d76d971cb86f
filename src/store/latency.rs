//! The way to a store that is elsewhere, for experiments: without it loopback flatters every strategy that asks one.

use std::time::{Duration, Instant};

/// A timer of the runtime may be this much late.
const COARSE: Duration = Duration::from_millis(2);

/// Waits as long as a question and its answer travel; to the microsecond, so the last part by watching the clock.
pub(super) async fn add_latency(round_trip: Duration) {
    if round_trip.is_zero() {
        return;
    }
    let end = Instant::now() + round_trip;
    if let Some(long) = round_trip.checked_sub(COARSE) {
        tokio::time::sleep(long).await;
    }
    while Instant::now() < end {
        tokio::task::yield_now().await;
    }
}
