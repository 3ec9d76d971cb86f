//! The time limit around every call to Redis, and the error that it ends in.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, ScriptInvocation};

use crate::store::StoreError;

/// The name in pages and errors.
pub(super) const NAME: &str = "Redis";

/// The longest that a call takes, whatever it waits for (a reply, a reconnect).
pub(super) const TIME_LIMIT: Duration = Duration::from_millis(500);

/// Runs a call of the library within [`TIME_LIMIT`]: the library's own limits do not cover everything it waits for.
pub(super) async fn limited<T>(call: impl Future<Output = redis::RedisResult<T>>) -> Result<T, StoreError> {
    in_time(async { call.await.map_err(redis_error) }).await
}

/// Gives a call up after [`TIME_LIMIT`]. Redis may still carry it out.
pub(super) async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let late = || StoreError::unavailable(NAME, &format_args!("no answer within {} ms", TIME_LIMIT.as_millis()));
    tokio::time::timeout(TIME_LIMIT, call).await.unwrap_or_else(|_| Err(late()))
}

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
pub(super) fn redis_error(error: redis::RedisError) -> StoreError {
    StoreError::unavailable(NAME, &error)
}

/// Sends one command over a connection that the caller owns.
pub(in crate::store) async fn query_over<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    command: &Cmd,
) -> Result<T, StoreError> {
    limited(command.query_async(connection)).await
}

/// Runs a script over a connection that the caller owns.
pub(in crate::store) async fn run_over<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    script: &ScriptInvocation<'_>,
) -> Result<T, StoreError> {
    limited(script.invoke_async(connection)).await
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    /// On a paused clock, which jumps ahead when every task waits.
    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_is_given_up_within_a_second() {
        let answer = tokio::time::timeout(Duration::from_secs(1), in_time(pending::<Result<(), _>>())).await;
        assert!(answer.expect("an answer within a second").is_err());
    }
}
