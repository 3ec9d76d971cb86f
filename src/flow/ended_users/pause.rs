//! The pause after a failure of a store.

use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(500);

/// When the store is back, a user who may log in again waits no longer than this.
const LONGEST: Duration = Duration::from_secs(8);

/// Grows with each failure in a row.
pub(super) struct RetryPause {
    next: Duration,
    until: Option<Instant>,
}

impl Default for RetryPause {
    fn default() -> Self {
        Self { next: FIRST, until: None }
    }
}

impl RetryPause {
    pub fn is_over(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }

    /// The store failed: the next pause begins.
    pub fn begin(&mut self) {
        self.until = Some(Instant::now() + self.next);
        self.next = (self.next * 2).min(LONGEST);
    }
}
