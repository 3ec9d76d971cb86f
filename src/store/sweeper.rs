//! The background task that deletes expired rows.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::StoreError;

const PERIOD: Duration = Duration::from_mins(1);

/// Deletes expired rows every minute, until it is dropped.
#[derive(Debug)]
pub(super) struct Sweeper(JoinHandle<()>);

impl Sweeper {
    /// Calls `sweep` now and every minute. `what` names the rows in the log. Needs a tokio runtime.
    pub fn start<F>(what: &'static str, sweep: impl Fn() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), StoreError>> + Send,
    {
        Self(tokio::spawn(async move {
            let mut interval = tokio::time::interval(PERIOD);
            loop {
                interval.tick().await;
                if let Err(error) = sweep().await {
                    tracing::warn!(%error, "the server could not delete expired {what}; it tries again in a minute");
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
