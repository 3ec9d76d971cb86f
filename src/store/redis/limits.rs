//! Time limits around every call to Redis, and the errors that they end in.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, ScriptInvocation};

use crate::store::StoreError;

/// The name in pages and errors.
pub(super) const NAME: &str = "Redis";

/// No call takes longer, whatever it waits for (a reply, a reconnect).
pub(super) const TIME_LIMIT: Duration = Duration::from_millis(500);

/// The library's own limits do not cover everything it waits for, so there is one around every call.
pub(super) async fn limited<T>(call: impl Future<Output = redis::RedisResult<T>>) -> Result<T, StoreError> {
    in_time(async { call.await.map_err(error) }).await
}

pub(super) async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(TIME_LIMIT, call)
        .await
        .unwrap_or_else(|_| Err(StoreError::new(NAME, &format_args!("no answer within {} ms", TIME_LIMIT.as_millis()))))
}

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
pub(super) fn error(error: redis::RedisError) -> StoreError {
    StoreError::new(NAME, &error)
}

/// Sends one command over such a connection.
pub(in crate::store) async fn query_over<T: FromRedisValue>(
    connection: &mut MultiplexedConnection,
    command: &Cmd,
) -> Result<T, StoreError> {
    limited(command.query_async(connection)).await
}

/// Runs a script over such a connection.
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

    /// On a clock that goes ahead by itself when everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_is_given_up_within_a_second() {
        let answer = tokio::time::timeout(Duration::from_secs(1), in_time(pending::<Result<(), _>>())).await;
        assert!(answer.expect("an answer within a second").is_err());
    }
}
