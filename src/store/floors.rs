//! The bare store calls that no strategy can beat: the floors of the cost lab.

use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement, Value};

use super::{Redis, Sql, StoreError};
use crate::identity::LoginId;

/// The length of a session record, in bytes.
const RECORD_BYTES: usize = 300;

/// The floor's record deletes itself after this long, in seconds.
const RECORD_LIFE: u64 = 600;

/// The bare calls: one `GET` on the same connection, one prepared `SELECT` on the same pool.
#[derive(Debug)]
pub struct Floors {
    redis: Redis,
    sql: Sql,
    key: String,
    select: Statement,
}

impl Floors {
    /// Prepares the calls. [`Floors::insert_record`] stores the record that `GET` reads.
    pub fn new(redis: Redis, sql: Sql) -> Self {
        let key = format!("{{jvs}}:floor:{}", LoginId::random());
        // The cheapest statement that a table answers through its key: no row has it.
        let select = match sql.backend() {
            DatabaseBackend::Postgres => "SELECT record FROM sessions WHERE login = $1",
            _ => "SELECT record FROM sessions WHERE login = ?",
        };
        let select = Statement::from_sql_and_values(sql.backend(), select, [Value::from(key.clone())]);
        Self { redis, sql, key, select }
    }

    /// Stores a record of 300 bytes, which expires after ten minutes.
    pub async fn insert_record(&self) -> Result<(), StoreError> {
        let mut set = redis::cmd("SET");
        set.arg(&self.key).arg("x".repeat(RECORD_BYTES)).arg("EX").arg(RECORD_LIFE);
        self.redis.query::<()>(&set).await
    }

    /// Sends a bare `GET`. False if it did not read the record.
    pub async fn get(&self) -> Result<bool, StoreError> {
        let text: Option<Vec<u8>> = self.redis.query(redis::cmd("GET").arg(&self.key)).await?;
        Ok(text.is_some_and(|text| text.len() == RECORD_BYTES))
    }

    /// Sends a bare prepared `SELECT`. False if it read a row: there is none.
    pub async fn select(&self) -> Result<bool, StoreError> {
        let row = self.sql.run(self.sql.pool().query_one_raw(self.select.clone())).await?;
        Ok(row.is_none())
    }

    /// Deletes the record. If Redis does not answer, the record expires.
    pub async fn delete_record(&self) {
        let _ = self.redis.query::<i64>(redis::cmd("DEL").arg(&self.key)).await;
    }
}
