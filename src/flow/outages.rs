//! Logs an outage of a store: one line when it begins, one when it ends, and how many requests failed meanwhile.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::health::HealthCheck;
use crate::store::StoreError;

/// The time between two looks whether the store answers again.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// An outage is over when the store answers and no request has failed for this long.
const QUIET: Duration = Duration::from_secs(2);

/// The time between two lines about the same outage.
const REMINDER: Duration = Duration::from_mins(1);

/// The outages that last, by the name of the store.
pub struct Outages {
    health: Arc<HealthCheck>,
    lasting: Mutex<HashMap<&'static str, Outage>>,
}

#[derive(Debug)]
struct Outage {
    begun: Instant,
    last_failure: Instant,
    last_line: Instant,
    failed_requests: u64,
}

/// Looks at the store until it answers again, or until the server has ended.
async fn watch(outages: Weak<Outages>, store: &'static str) {
    loop {
        sleep(LOOK_EVERY).await;
        let Some(outages) = outages.upgrade() else { return };
        // Other names, such as the random generator's, have no health check.
        let answers = outages.health.result().await.answers(store).unwrap_or(true);
        if outages.is_over(store, answers) {
            return;
        }
    }
}

impl Outages {
    pub fn new(health: Arc<HealthCheck>) -> Self {
        Self { health, lasting: Mutex::default() }
    }

    /// Notes a request that failed because a store did not answer. Needs a tokio runtime.
    pub(super) fn note(self: &Arc<Self>, error: &StoreError, path: &str) {
        match error {
            StoreError::Unavailable { store, detail } if self.is_first(store) => {
                let what = "a store does not answer, so requests that need it fail; the next line counts them";
                tracing::error!(store, path, detail, "{what}");
                tokio::spawn(watch(Arc::downgrade(self), store));
            }
            // Of a store that is not there, the start says so.
            StoreError::Unavailable { .. } | StoreError::Absent { .. } => {
                tracing::debug!(path, %error, "a request failed");
            }
        }
    }

    /// Counts a failed request; true if it begins an outage.
    fn is_first(&self, store: &'static str) -> bool {
        let now = Instant::now();
        match self.lasting.lock().unwrap_or_else(PoisonError::into_inner).entry(store) {
            Entry::Occupied(mut known) => {
                let outage = known.get_mut();
                outage.failed_requests += 1;
                outage.last_failure = now;
                false
            }
            Entry::Vacant(new) => {
                new.insert(Outage { begun: now, last_failure: now, last_line: now, failed_requests: 1 });
                true
            }
        }
    }

    /// Ends the outage if nothing fails any more, and logs what is worth a line.
    fn is_over(&self, store: &'static str, answers: bool) -> bool {
        let mut outages = self.lasting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(outage) = outages.get_mut(store) else { return true };
        let (seconds, failed_requests) = (outage.begun.elapsed().as_secs(), outage.failed_requests);
        if answers && outage.last_failure.elapsed() >= QUIET {
            outages.remove(store);
            tracing::info!(store, failed_requests, seconds, "a store answers again");
            return true;
        }
        if outage.last_line.elapsed() >= REMINDER {
            outage.last_line = Instant::now();
            tracing::warn!(store, failed_requests, seconds, "requests that need a store still fail");
        }
        false
    }
}
