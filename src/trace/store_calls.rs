//! Counts the store calls of a step. The stores report each call where they send it.

use std::cell::Cell;

tokio::task_local! {
    /// The calls of the present step. Set only while a trace that is on times a step.
    static CALLS: Cell<usize>;
}

/// Counts one command to Redis, or one statement to the SQL database, for the present step of this task. Without a step it
/// does nothing.
pub fn count_store_call() {
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

/// Carries out `work`, and returns how many store calls it made. Calls of tasks that it spawns are not counted: they may go
/// on after the request.
pub(super) async fn counted<T>(work: impl Future<Output = T>) -> (T, usize) {
    let counting = async {
        let outcome = work.await;
        (outcome, CALLS.with(Cell::get))
    };
    CALLS.scope(Cell::new(0), counting).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{StepKind, Trace};

    #[tokio::test]
    async fn a_step_counts_its_calls_and_a_call_outside_of_a_step_is_not_counted() {
        count_store_call();
        let work = async {
            count_store_call();
            tokio::task::yield_now().await;
            count_store_call();
            "done"
        };
        assert_eq!(counted(work).await, ("done", 2));
        assert_eq!(counted(async {}).await, ((), 0));
    }

    #[tokio::test]
    async fn calls_of_a_spawned_task_are_not_counted() {
        let work = async {
            count_store_call();
            tokio::spawn(async { count_store_call() }).await.expect("it runs");
        };
        assert_eq!(counted(work).await, ((), 1));
    }

    #[tokio::test]
    async fn a_step_inside_a_step_is_counted_once() {
        let trace = Trace::on();
        let inner = async {
            count_store_call();
            trace.timed(StepKind::Store, |()| "inner", async { count_store_call() }).await;
        };
        trace.timed(StepKind::Store, |()| "outer", inner).await;
        assert_eq!(trace.store_calls(), 2);
    }

    #[tokio::test]
    async fn two_steps_at_once_are_counted_apart() {
        let both = async |calls: usize| {
            for _ in 0..calls {
                count_store_call();
                tokio::task::yield_now().await;
            }
        };
        let (one, three) = tokio::join!(counted(both(1)), counted(both(3)));
        assert_eq!((one.1, three.1), (1, 3));
    }

    /// Without a counter there is nothing to add to.
    #[tokio::test]
    async fn a_trace_that_is_off_sets_no_counter() {
        let trace = Trace::off();
        let work = async {
            count_store_call();
            CALLS.try_with(Cell::get).is_err()
        };
        assert!(trace.timed(StepKind::Store, |_| "a step", work).await);
        assert_eq!(trace.store_calls(), 0);
    }
}
