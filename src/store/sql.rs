//! The SQL database: SQLite or PostgreSQL, migrated at the start, with a time limit around every statement.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DatabaseTransaction, DbErr, Statement,
    TransactionTrait as _, TryGetable, Value,
};
use sea_orm_migration::MigratorTrait;

use super::StoreError;
use super::latency::add_latency;
use super::migrations::Migrations;
use crate::trace::count_store_call;

/// See the migration `m0006_identity`.
const IDENTITY: &str = "SELECT name FROM database_identity";

/// No statement makes a request wait longer.
const TIME_LIMIT: Duration = Duration::from_millis(800);

/// How long the first connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// SQLite allows many readers and one writer; PostgreSQL is told the same bound.
const CONNECTIONS: u32 = 8;

/// `sqlite://…` or `postgres://…`.
#[derive(Clone)]
pub struct SqlUrl(url::Url);

impl FromStr for SqlUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "expected sqlite://FILE?mode=rwc or postgres://USER:PASSWORD@HOST/DATABASE";
        let url = text.parse::<url::Url>().map_err(|_| FORM.to_owned())?;
        match url.scheme() {
            "sqlite" | "postgres" | "postgresql" => Ok(Self(url)),
            _ => Err(FORM.to_owned()),
        }
    }
}

impl SqlUrl {
    /// The database's file, if it is one.
    pub fn file(&self) -> Option<std::path::PathBuf> {
        let text = self.0.as_str();
        let path = text.strip_prefix("sqlite:")?.split('?').next()?;
        let path = path.strip_prefix("//").unwrap_or(path);
        (!path.is_empty() && path != ":memory:").then(|| path.into())
    }

    /// Whether opening it creates a missing file.
    pub fn creates_file(&self) -> bool {
        self.file().is_some() && self.0.query_pairs().any(|(name, value)| name == "mode" && value == "rwc")
    }

    fn store(&self) -> &'static str {
        if self.0.scheme() == "sqlite" { "SQLite" } else { "PostgreSQL" }
    }
}

/// Without user and password.
impl fmt::Display for SqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.file() {
            Some(file) => write!(f, "SQLite file {}", file.display()),
            None => {
                let host = self.0.host_str().unwrap_or("a local socket");
                write!(f, "{} database {} on {host}", self.store(), self.0.path().trim_start_matches('/'))
            }
        }
    }
}

impl fmt::Debug for SqlUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A pool of connections. Clones share it.
#[derive(Clone, Debug)]
pub struct Sql {
    pool: DatabaseConnection,
    store: &'static str,
    /// What every statement waits first. Zero but in experiments.
    round_trip: Duration,
}

impl Sql {
    /// Connects, and brings the tables up to date.
    pub async fn open(url: &SqlUrl) -> Result<Self, StoreError> {
        let store = url.store();
        let failed = |error: DbErr| StoreError::new(store, &error);
        let connecting = Database::connect(options(url));
        let mut pool = match tokio::time::timeout(CONNECT_LIMIT, connecting).await {
            Ok(Ok(pool)) => pool,
            Ok(Err(error)) => return Err(reason(url).await.unwrap_or_else(|| failed(error))),
            Err(_) => {
                let silent = || StoreError::new(store, "no connection within 5 s");
                return Err(reason(url).await.unwrap_or_else(silent));
            }
        };
        Migrations::up(&pool, None).await.map_err(failed)?;
        pool.set_metric_callback(|_| count_store_call());
        Ok(Self { pool, store, round_trip: Duration::ZERO })
    }

    /// The name that pages and errors use.
    pub fn name(&self) -> &'static str {
        self.store
    }

    /// The same pool as over a network: each call waits that long first. For experiments only. A transaction is one
    /// call here, whatever it sends.
    #[must_use]
    pub fn with_latency(&self, round_trip: Duration) -> Self {
        Self { round_trip, ..self.clone() }
    }

    /// The name that this database was given when it was made.
    pub(super) async fn identity(&self) -> Result<String, StoreError> {
        let row = self.pool().query_one_raw(Statement::from_string(self.pool().get_database_backend(), IDENTITY));
        let row = self.run(row).await?.ok_or_else(|| StoreError::new(self.name(), "it has no name"))?;
        row.try_get("", "name").map_err(|error| StoreError::new(self.name(), &error))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.run(self.pool.ping()).await
    }

    /// Ends the pool: every connection is closed, SQLite's write-ahead log is folded in.
    pub async fn close(self) {
        let _ = tokio::time::timeout(CONNECT_LIMIT, self.pool.close()).await;
    }

    /// The pool itself: for the stores, and for the benches, which measure a bare statement beside them.
    pub fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// One value by its key, by a statement that is written out (`$1` is the key): what every request asks is not built
    /// anew at every request.
    pub(super) async fn find<T: TryGetable>(&self, text: &'static str, key: Value) -> Result<Option<T>, StoreError> {
        let statement = Statement::from_sql_and_values(self.pool.get_database_backend(), text, [key]);
        let found = async {
            let row = self.pool.query_one_raw(statement).await?;
            row.map(|row| row.try_get_by_index(0)).transpose()
        };
        self.run(found).await
    }

    pub(super) async fn run<T>(&self, statement: impl Future<Output = Result<T, DbErr>>) -> Result<T, StoreError> {
        add_latency(self.round_trip).await;
        match tokio::time::timeout(TIME_LIMIT, statement).await {
            Ok(result) => result.map_err(|error| self.error(&error)),
            Err(_) => Err(self.error(&format_args!("no answer within {} ms", TIME_LIMIT.as_millis()))),
        }
    }

    /// Carries out `work` in one transaction, within one time limit. BEGIN and COMMIT are store calls, too.
    pub(super) async fn transaction<T>(
        &self,
        work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, DbErr>,
    ) -> Result<T, StoreError> {
        self.run(async {
            count_store_call();
            let transaction = self.pool.begin().await?;
            let outcome = work(&transaction).await?;
            count_store_call();
            transaction.commit().await?;
            Ok(outcome)
        })
        .await
    }

    fn error(&self, detail: &impl ToString) -> StoreError {
        StoreError::new(self.store, detail)
    }
}

/// A pool only says that it timed out; one bare connection says why, if it says anything.
async fn reason(url: &SqlUrl) -> Option<StoreError> {
    let connecting = PgConnection::connect(url.0.as_str());
    let refused = tokio::time::timeout(TIME_LIMIT, connecting).await.ok()?.err()?;
    (url.store() == "PostgreSQL").then(|| StoreError::new(url.store(), &refused))
}

fn options(url: &SqlUrl) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.0.as_str());
    let is_file = url.file().is_some();
    options
        .max_connections(CONNECTIONS)
        // A file cannot hang up: to ask first whether it is still there would be a second wait at every statement.
        .test_before_acquire(!is_file)
        // There is one limit for the first connection and for every wait for a free one; `run` keeps the second short.
        .acquire_timeout(CONNECT_LIMIT)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                // What was answered must survive a power cut: every commit reaches the disk.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(TIME_LIMIT)
                .foreign_keys(true)
        });
    options
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let url: SqlUrl = "postgres://me:hunter2@db.internal/app".parse().expect("a good url");
        assert_eq!(url.to_string(), "PostgreSQL database app on db.internal");
        assert!(!format!("{url:?}").contains("hunter2"));
    }

    #[test]
    fn the_file_of_a_sqlite_url_is_found() {
        let file = |text: &str| text.parse::<SqlUrl>().expect(text).file();
        assert_eq!(file("sqlite://jwt-vs-session.db?mode=rwc"), Some("jwt-vs-session.db".into()));
        assert_eq!(file("sqlite:///var/lib/app.db"), Some("/var/lib/app.db".into()));
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("postgres://localhost/app"), None);
    }

    /// On a clock that goes ahead by itself when everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_statement_without_an_answer_is_given_up_within_a_second() {
        let sql = Sql { pool: DatabaseConnection::default(), store: "SQLite", round_trip: Duration::ZERO };
        let answer = tokio::time::timeout(Duration::from_secs(1), sql.run(pending::<Result<(), _>>())).await;
        assert!(answer.expect("an answer within a second").is_err());
    }
}
