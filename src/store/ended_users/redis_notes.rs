//! Notes in a Redis that the logins of ended users were revoked there.
//!
//! They live and die with the records: a Redis that was away has no note, and a restored snapshot has the notes of its
//! time. The key `{jvs}:ended:DATABASE` is a sorted set of rows of that database, by when the user ended.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;

use super::EndedUser;
use crate::clock::{Timestamp, whole_millis};
use crate::store::{Redis, Sql, StoreError};

/// The most rows in one command.
const BATCH: usize = 1000;

/// The notes in the Redis of this node. Without Redis there are none.
#[derive(Debug)]
pub struct RedisNotes {
    sql: Sql,
    redis: Option<Redis>,
}

impl RedisNotes {
    pub fn new(sql: &Sql, redis: Option<&Redis>) -> Self {
        Self { sql: sql.clone(), redis: redis.cloned() }
    }

    /// Reads which rows were carried out in this Redis.
    pub async fn read(&self) -> Result<HashSet<Uuid>, StoreError> {
        let Some(redis) = &self.redis else { return Ok(HashSet::new()) };
        // An empty Redis has no note either: its records are gone, but a token is with the client, and what revokes it is
        // not only in Redis.
        let mut range = redis::cmd("ZRANGE");
        range.arg(self.key().await?).arg(0).arg(-1);
        let noted: Vec<String> = redis.query(&range).await?;
        Ok(noted.iter().filter_map(|id| id.parse().ok()).collect())
    }

    /// Adds notes. Redis keeps each for as long as a login of that user could have lived.
    pub async fn add(&self, rows: &[EndedUser], kept: Duration, now: Timestamp) -> Result<(), StoreError> {
        let Some(redis) = &self.redis else { return Ok(()) };
        let key = self.key().await?;
        for batch in rows.chunks(BATCH) {
            let mut add = redis::cmd("ZADD");
            add.arg(&key);
            for ended in batch {
                add.arg(ended.at.as_millis()).arg(ended.id.to_string());
            }
            redis.query::<i64>(&add).await?;
        }
        let mut drop_old = redis::cmd("ZREMRANGEBYSCORE");
        drop_old.arg(&key).arg("-inf").arg(format!("({}", (now - kept).as_millis()));
        redis.query::<i64>(&drop_old).await?;
        redis.query::<i64>(redis::cmd("PEXPIRE").arg(&key).arg(whole_millis(kept))).await.map(drop)
    }

    async fn key(&self) -> Result<String, StoreError> {
        Ok(format!("{{jvs}}:ended:{}", self.sql.identity().await?))
    }
}
