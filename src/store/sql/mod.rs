//! The SQL database: SQLite or PostgreSQL, migrated at the start, with a time limit around every call.
//!
//! `url.rs` reads its address. `file.rs` keeps the file of an SQLite database from others.

mod file;
mod url;

use std::convert::Infallible;
use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    Statement, TransactionTrait as _, TryGetable, Value,
};
use sea_orm_migration::MigratorTrait;

pub use self::url::{SqlUrl, SqlUrlError};
use super::StoreError;
use super::latency::add_latency;
use super::migrations::Migrations;
use crate::trace::count_store_call;

/// The name that the migration `m0006_identity` gave the database.
const IDENTITY: &str = "SELECT name FROM database_identity";

/// The longest that one call makes a request wait.
const TIME_LIMIT: Duration = Duration::from_millis(800);

/// The longest that the first connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The size of the pool. SQLite allows many readers and one writer; PostgreSQL gets the same bound.
const CONNECTIONS: u32 = 8;

/// What to do when a server on another machine has no certificate, or not one that this machine trusts.
const CERTIFICATE_HINT: &str = ". The server is not on this machine, so it needs a certificate for its host name \
    (sslmode=verify-full): name its authority with sslrootcert=FILE, or another sslmode, in --database-url";

/// A pool of connections. Clones share it.
#[derive(Clone, Debug)]
pub struct Sql {
    pool: DatabaseConnection,
    store: &'static str,
    /// The wait before every call: zero outside experiments.
    round_trip: Duration,
}

impl Sql {
    /// Connects, and runs the migrations that the database has not had yet.
    pub async fn open(url: &SqlUrl) -> Result<Self, StoreError> {
        let store = url.store();
        let failed = |error: DbErr| StoreError::unavailable(store, &error);
        file::protect(url).map_err(|reason| StoreError::unavailable(store, &reason))?;
        let connecting = Database::connect(options(url));
        let mut pool = match tokio::time::timeout(CONNECT_LIMIT, connecting).await {
            Ok(Ok(pool)) => pool,
            Ok(Err(error)) => return Err(connect_error(url).await.unwrap_or_else(|| failed(error))),
            Err(_) => {
                let silent = || StoreError::unavailable(store, "no connection within 5 s");
                return Err(connect_error(url).await.unwrap_or_else(silent));
            }
        };
        Migrations::up(&pool, None).await.map_err(failed)?;
        pool.set_metric_callback(|_| count_store_call());
        Ok(Self { pool, store, round_trip: Duration::ZERO })
    }

    /// The product's name, for pages and errors.
    pub fn name(&self) -> &'static str {
        self.store
    }

    /// The same pool behind a delay, for experiments: each call first waits for this round trip. A transaction is one
    /// call here, whatever it sends.
    #[must_use]
    pub fn with_latency(&self, round_trip: Duration) -> Self {
        Self { round_trip, ..self.clone() }
    }

    /// Reads the random name that a migration gave this database.
    pub(super) async fn identity(&self) -> Result<String, StoreError> {
        let row = self.run(self.pool.query_one_raw(self.statement(IDENTITY))).await?;
        let row = row.ok_or_else(|| self.error("it has no name"))?;
        row.try_get("", "name").map_err(|error| self.error(&error))
    }

    /// Checks that the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.run(self.pool.ping()).await
    }

    /// Closes every connection. SQLite folds its write-ahead log into the file.
    pub async fn close(self) {
        let _ = tokio::time::timeout(CONNECT_LIMIT, self.pool.close()).await;
    }

    /// The pool itself, without time limit: for the stores, and for the benches, which measure a bare statement.
    pub fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    pub(super) fn backend(&self) -> DatabaseBackend {
        self.pool.get_database_backend()
    }

    /// Reads one value by its key (`$1`). The statement is written out: a query of every check should not be built each
    /// time.
    pub(super) async fn find<T: TryGetable>(&self, text: &'static str, key: Value) -> Result<Option<T>, StoreError> {
        let statement = Statement::from_sql_and_values(self.backend(), text, [key]);
        let found = async {
            let row = self.pool.query_one_raw(statement).await?;
            row.map(|row| row.try_get_by_index(0)).transpose()
        };
        self.run(found).await
    }

    /// Runs a call within the time limit.
    pub(super) async fn run<T>(&self, call: impl Future<Output = Result<T, DbErr>>) -> Result<T, StoreError> {
        add_latency(self.round_trip).await;
        match tokio::time::timeout(TIME_LIMIT, call).await {
            Ok(result) => result.map_err(|error| self.error(&error)),
            Err(_) => {
                // sea-orm reports a statement when it has ended: this one has not.
                count_store_call();
                Err(self.error(&format_args!("no answer within {} ms", TIME_LIMIT.as_millis())))
            }
        }
    }

    /// Carries out `work` in one transaction, within one time limit. BEGIN and COMMIT are store calls, too.
    pub(super) async fn transaction<T>(
        &self,
        work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, DbErr>,
    ) -> Result<T, StoreError> {
        let Ok(outcome) =
            self.transaction_unless(async |transaction| Ok(Ok::<_, Infallible>(work(transaction).await?))).await?;
        Ok(outcome)
    }

    /// The same, but rolls back what `work` wrote if it returns a refusal.
    pub(super) async fn transaction_unless<T, R>(
        &self,
        work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<Result<T, R>, DbErr>,
    ) -> Result<Result<T, R>, StoreError> {
        self.run(async {
            count_store_call();
            let transaction = self.pool.begin().await?;
            let outcome = work(&transaction).await?;
            count_store_call();
            if outcome.is_ok() {
                transaction.commit().await?;
            } else {
                transaction.rollback().await?;
            }
            Ok(outcome)
        })
        .await
    }

    /// The bytes that tables and indexes take. SQLite: without the free space in pages. PostgreSQL: in whole pages.
    pub async fn bytes_in_use(&self) -> Result<u64, StoreError> {
        let select = match self.backend() {
            DatabaseBackend::Postgres => "SELECT pg_database_size(current_database())",
            _ => "SELECT sum(pgsize - unused) FROM dbstat",
        };
        let row = self.run(self.pool.query_one_raw(self.statement(select))).await?;
        let bytes = row.and_then(|row| row.try_get_by_index::<i64>(0).ok()).unwrap_or_default();
        Ok(u64::try_from(bytes).unwrap_or_default())
    }

    /// The product and its version, such as `SQLite 3.50.2`. `None` if the database does not say.
    pub async fn version(&self) -> Option<String> {
        let select = match self.backend() {
            DatabaseBackend::Postgres => "SELECT current_setting('server_version')",
            _ => "SELECT sqlite_version()",
        };
        let row = self.run(self.pool.query_one_raw(self.statement(select))).await.ok()??;
        Some(format!("{} {}", self.name(), row.try_get_by_index::<String>(0).ok()?))
    }

    fn statement(&self, text: &str) -> Statement {
        Statement::from_string(self.backend(), text)
    }

    fn error(&self, detail: &(impl std::fmt::Display + ?Sized)) -> StoreError {
        StoreError::unavailable(self.store, detail)
    }
}

/// A pool only says that it timed out. One bare connection to PostgreSQL says why, if it says anything.
async fn connect_error(url: &SqlUrl) -> Option<StoreError> {
    if url.is_sqlite() {
        return None;
    }
    let named = PgConnectOptions::from_str(url.as_str()).ok()?;
    let options = url.protect(named);
    let connecting = PgConnection::connect_with(&options);
    let refused = tokio::time::timeout(TIME_LIMIT, connecting).await.ok()?.err()?;
    let by_default = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) && !url.names_ssl_mode();
    let hint = if by_default { CERTIFICATE_HINT } else { "" };
    Some(StoreError::unavailable(url.store(), &format_args!("{refused}{hint}")))
}

fn options(url: &SqlUrl) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.as_str());
    let (is_file, address) = (url.file().is_some(), url.clone());
    options
        .max_connections(CONNECTIONS)
        // A file cannot hang up: a ping before each statement would be a second wait.
        .test_before_acquire(!is_file)
        // sqlx has one limit for the first connection and for every wait for a free one; `run` keeps the second short.
        .acquire_timeout(CONNECT_LIMIT)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(move |postgres| address.protect(postgres))
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                // An answered revoke must survive a power cut: every commit reaches the disk.
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
    use crate::trace::{StepKind, Trace};

    /// On a paused clock, which jumps ahead when every task waits.
    #[tokio::test(start_paused = true)]
    async fn a_statement_without_an_answer_is_given_up_within_a_second() {
        let sql = Sql { pool: DatabaseConnection::default(), store: "SQLite", round_trip: Duration::ZERO };
        let answer = tokio::time::timeout(Duration::from_secs(1), sql.run(pending::<Result<(), _>>())).await;
        assert!(answer.expect("an answer within a second").is_err());
    }

    #[tokio::test]
    async fn a_transaction_counts_begin_each_statement_and_commit() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
        let sql = Sql::open(&url.parse().expect("a valid url")).await.expect("a database");
        let calls_of = async |statements: usize| {
            let work = async |transaction: &DatabaseTransaction| {
                for _ in 0..statements {
                    transaction.query_one_raw(Statement::from_string(DatabaseBackend::Sqlite, IDENTITY)).await?;
                }
                Ok(())
            };
            let trace = Trace::on();
            trace.timed(StepKind::Database, |_| "a transaction", sql.transaction(work)).await.expect("it commits");
            trace.store_calls()
        };
        assert_eq!([calls_of(0).await, calls_of(1).await, calls_of(3).await], [2, 3, 5]);
        let trace = Trace::on();
        trace.timed(StepKind::Database, |_| "a statement", sql.identity()).await.expect("a name");
        assert_eq!(trace.store_calls(), 1);
        sql.close().await;
    }
}
