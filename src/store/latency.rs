//! The delay of a store that is far away, for experiments: loopback flatters every strategy that reads a store.

use std::time::{Duration, Instant};

/// A timer of the runtime may be this much late.
const TIMER_SLACK: Duration = Duration::from_millis(2);

/// Waits for one round trip, to the microsecond: for the last two milliseconds it watches the clock.
pub(super) async fn add_latency(round_trip: Duration) {
    if round_trip.is_zero() {
        return;
    }
    let end = Instant::now() + round_trip;
    if let Some(long) = round_trip.checked_sub(TIMER_SLACK) {
        tokio::time::sleep(long).await;
    }
    while Instant::now() < end {
        tokio::task::yield_now().await;
    }
}
