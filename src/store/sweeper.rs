//! Work that is done every minute as long as its owner lives.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::StoreError;

const PERIOD: Duration = Duration::from_mins(1);

/// Deletes what has expired, in the background. Ends with its owner.
#[derive(Debug)]
pub(super) struct Sweeper(JoinHandle<()>);

impl Sweeper {
    /// Calls `sweep` now and every minute. Needs a tokio runtime.
    pub fn start<F>(what: &'static str, sweep: impl Fn() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), StoreError>> + Send,
    {
        Self(tokio::spawn(async move {
            let mut interval = tokio::time::interval(PERIOD);
            loop {
                interval.tick().await;
                if let Err(error) = sweep().await {
                    tracing::warn!(%error, "expired {what} could not be deleted; the next attempt is in a minute");
                }
            }
        }))
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}
