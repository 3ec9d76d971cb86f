//! What the cost lab asks of the stores themselves: the bare calls that a strategy cannot beat, and sizes.

use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement, Value};

use super::{Redis, Sql, StoreError};
use crate::identity::LoginId;

/// What a store keeps of one login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// In bytes, of the login itself.
    pub login: u64,
    /// In bytes, of its user, however many logins there are.
    pub user: u64,
    /// Whether there are rows in the SQL database, too. Only the database can weigh them, and only many at once.
    pub rows: bool,
    /// How this was found out.
    pub how: &'static str,
}

/// As long as a record of a session.
const RECORD: usize = 300;

/// The bare calls: one `GET` on the same connection, one prepared `SELECT` on the same pool.
#[derive(Debug)]
pub struct Floors {
    redis: Redis,
    sql: Sql,
    key: String,
    select: Statement,
}

impl Floors {
    /// Nothing is stored yet.
    pub fn new(redis: Redis, sql: Sql) -> Self {
        let key = format!("{{jvs}}:floor:{}", LoginId::random());
        let text = Value::from(key.clone());
        // The cheapest statement that a table answers through its key: no row has it.
        let select = match sql.backend() {
            DatabaseBackend::Postgres => "SELECT record FROM sessions WHERE login = $1",
            _ => "SELECT record FROM sessions WHERE login = ?",
        };
        let select = Statement::from_sql_and_values(sql.backend(), select, [text]);
        Self { redis, sql, key, select }
    }

    /// Puts a record there. It goes by itself after ten minutes.
    pub async fn insert_record(&self) -> Result<(), StoreError> {
        let mut set = redis::cmd("SET");
        set.arg(&self.key).arg("x".repeat(RECORD)).arg("EX").arg(600);
        self.redis.query::<()>(&set).await
    }

    /// A bare `GET`.
    pub async fn get(&self) -> Result<bool, StoreError> {
        let text: Option<Vec<u8>> = self.redis.query(redis::cmd("GET").arg(&self.key)).await?;
        Ok(text.is_some_and(|text| text.len() == RECORD))
    }

    /// A bare prepared `SELECT`.
    pub async fn select(&self) -> Result<bool, StoreError> {
        let row = self.sql.run(self.sql.pool().query_one_raw(self.select.clone())).await?;
        Ok(row.is_none())
    }

    /// Takes the record away.
    pub async fn delete_record(&self) {
        let _ = self.redis.query::<i64>(redis::cmd("DEL").arg(&self.key)).await;
    }
}

impl Redis {
    /// How many bytes a key takes, as Redis counts them; 0 if it is not there.
    pub(super) async fn memory_of(&self, key: &str) -> Result<u64, StoreError> {
        let usage = redis::cmd("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(0).clone();
        Ok(self.query::<Option<u64>>(&usage).await?.unwrap_or_default())
    }

    /// Its version, if it may be asked.
    pub async fn version(&self) -> Option<String> {
        let server: redis::InfoDict = self.query(redis::cmd("INFO").arg("server")).await.ok()?;
        Some(format!("Redis {}", server.get::<String>("redis_version")?))
    }
}

impl Sql {
    /// How many bytes the tables and their indexes take: without the free space in SQLite's pages, in whole pages of
    /// PostgreSQL.
    pub async fn bytes_in_use(&self) -> Result<u64, StoreError> {
        let bytes = match self.backend() {
            DatabaseBackend::Postgres => self.number("SELECT pg_database_size(current_database())").await?,
            _ => self.number("SELECT sum(pgsize - unused) FROM dbstat").await?,
        };
        Ok(u64::try_from(bytes).unwrap_or_default())
    }

    /// Its version, if it may be asked.
    pub async fn version(&self) -> Option<String> {
        let question = match self.backend() {
            DatabaseBackend::Postgres => "SELECT current_setting('server_version')",
            _ => "SELECT sqlite_version()",
        };
        let statement = Statement::from_string(self.backend(), question);
        let row = self.run(self.pool().query_one_raw(statement)).await.ok()??;
        Some(format!("{} {}", self.name(), row.try_get_by_index::<String>(0).ok()?))
    }

    async fn number(&self, question: &str) -> Result<i64, StoreError> {
        let statement = Statement::from_string(self.backend(), question);
        let row = self.run(self.pool().query_one_raw(statement)).await?;
        Ok(row.and_then(|row| row.try_get_by_index::<i64>(0).ok()).unwrap_or_default())
    }

    pub(super) fn backend(&self) -> DatabaseBackend {
        self.pool().get_database_backend()
    }
}
