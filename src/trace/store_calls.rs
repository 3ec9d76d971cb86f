//! Counts the commands that a step sends to a store, where they are sent: the stores report each one.

use std::cell::Cell;

tokio::task_local! {
    /// Set while a step of a trace is under way. Without a trace nobody counts.
    static CALLS: Cell<usize>;
}

/// Reports one command to Redis, or one statement to the SQL database.
pub fn count_store_call() {
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

/// Carries out `work`, and returns how many store calls it made in this task.
pub(super) async fn counted<T>(work: impl Future<Output = T>) -> (T, usize) {
    let counting = async {
        let outcome = work.await;
        (outcome, CALLS.with(Cell::get))
    };
    CALLS.scope(Cell::new(0), counting).await
}
