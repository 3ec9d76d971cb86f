//! Counts failed tries to log in, in a row, for each account: from each network, and from all of them.
//!
//! The database holds the counts, so that they survive a restart and hold across nodes. An account is the hash of a
//! folded name: a name without a user is counted like any other, so the limits tell nobody which names exist.
//!
//! A try is counted as a failure before its password is checked: of many at once, no more are checked than of the same
//! number one after another. The right password deletes the counts (NIST SP 800-63B-4, 3.2.2).
//!
//! `limits.rs` has the numbers, and judges.

mod limits;

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::{ConnectionTrait as _, DatabaseBackend, DatabaseTransaction, DbErr, QueryResult, Statement, Value};
use sha2::{Digest as _, Sha256};

pub use self::limits::TryRefusal;
use self::limits::{Failures, KEPT, judge};
use super::sweeper::Sweeper;
use super::{Sql, StoreError};
use crate::clock::{Clock, Timestamp};

/// The source of the row that counts the tries from all networks.
const ALL: &str = "";

/// Where a try comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginSource {
    /// An IPv4 address, or the first of a /64.
    Network(IpAddr),
    /// A browser that has logged in to the account before, by its mark. It has an allowance of its own, and none of the
    /// account's limits apply to it.
    KnownBrowser(String),
}

impl LoginSource {
    /// The sources of the rows that count the try. The last one is its own.
    fn rows(&self) -> Vec<String> {
        match self {
            Self::Network(address) => vec![ALL.to_owned(), address.to_string()],
            Self::KnownBrowser(mark) => vec![format!("browser {mark}")],
        }
    }
}

/// The counts of all accounts.
#[derive(Debug)]
pub struct LoginFailures {
    sql: Sql,
    clock: Clock,
    _sweeper: Option<Sweeper>,
}

impl LoginFailures {
    pub fn new(sql: Sql, clock: Clock) -> Self {
        Self { sql, clock, _sweeper: None }
    }

    /// Also starts the background task that deletes old rows. Needs a tokio runtime.
    pub fn sweeping(sql: Sql, clock: Clock) -> Self {
        let (swept, time) = (sql.clone(), clock.clone());
        let sweeper = Sweeper::start("counts of failed tries", move || delete_old(swept.clone(), time.clone()));
        Self { sql, clock, _sweeper: Some(sweeper) }
    }

    /// The name of the database, for the trace.
    pub fn store(&self) -> &'static str {
        self.sql.name()
    }

    /// Counts a try as a failure before its password is checked, in one transaction. A refused try does not count, and no
    /// pause grows by it.
    pub async fn count(&self, folded_name: &str, source: &LoginSource) -> Result<Result<(), TryRefusal>, StoreError> {
        let (now, rows) = (self.clock.now(), source.rows());
        let statement = self.count_statement(folded_name, &rows, now);
        let count = async |transaction: &DatabaseTransaction| {
            let before = transaction.query_all_raw(statement).await?;
            let before = before.iter().map(failures).collect::<Result<Vec<_>, _>>()?;
            let of = |row: &str| before.iter().find(|(source, _)| source == row).map(|(_, failures)| *failures);
            let own = rows.last().and_then(|row| of(row));
            let own = own.ok_or_else(|| DbErr::RecordNotFound("the count that was written".to_owned()))?;
            Ok(judge(own, of(ALL), now).map_or(Ok(()), Err))
        };
        self.sql.transaction_unless(count).await
    }

    /// Takes a counted try out of the count: its password was not checked.
    pub async fn give_back(&self, folded_name: &str, source: &LoginSource) -> Result<(), StoreError> {
        for row in source.rows() {
            let update = "UPDATE login_failures SET failures = failures - 1, failed_at = previous_at \
                WHERE account = $1 AND source = $2 AND failures > 0";
            self.execute(update, vec![account(folded_name).into(), row.into()]).await?;
        }
        Ok(())
    }

    /// Deletes the counts of an account: after the right password, or when an operator enables the account again.
    pub async fn clear(&self, folded_name: &str) -> Result<(), StoreError> {
        let delete = match self.sql.backend() {
            // In the order in which `count` locks the rows. Two nodes could wait for one another otherwise.
            DatabaseBackend::Postgres => {
                "DELETE FROM login_failures WHERE account = $1 AND source IN \
                (SELECT source FROM login_failures WHERE account = $1 ORDER BY source FOR UPDATE)"
            }
            _ => "DELETE FROM login_failures WHERE account = $1",
        };
        self.execute(delete, vec![account(folded_name).into()]).await
    }

    /// Deletes the counts of every account: nobody has one any more.
    pub async fn clear_all(&self) -> Result<(), StoreError> {
        self.execute("DELETE FROM login_failures", Vec::new()).await
    }

    /// Adds one to each row, creates those that are missing, and returns what they were before.
    fn count_statement(&self, folded_name: &str, rows: &[String], now: Timestamp) -> Statement {
        let places: Vec<_> = (0..rows.len()).map(|row| format!("($1, ${}, 1, $2, 0)", row + 3)).collect();
        let text = format!(
            "INSERT INTO login_failures (account, source, failures, failed_at, previous_at) VALUES {} \
            ON CONFLICT (account, source) DO UPDATE SET failures = login_failures.failures + 1, \
            previous_at = login_failures.failed_at, failed_at = excluded.failed_at \
            RETURNING source, failures - 1, previous_at",
            places.join(", ")
        );
        let mut values: Vec<Value> = vec![account(folded_name).into(), now.as_millis().into()];
        values.extend(rows.iter().map(|row| Value::from(row.clone())));
        Statement::from_sql_and_values(self.sql.backend(), text, values)
    }

    async fn execute(&self, text: &'static str, values: Vec<Value>) -> Result<(), StoreError> {
        let statement = Statement::from_sql_and_values(self.sql.backend(), text, values);
        self.sql.run(self.sql.pool().execute_raw(statement)).await.map(drop)
    }
}

async fn delete_old(sql: Sql, clock: Clock) -> Result<(), StoreError> {
    let before = Value::from((clock.now() - KEPT).as_millis());
    let delete = "DELETE FROM login_failures WHERE failed_at <= $1";
    let statement = Statement::from_sql_and_values(sql.backend(), delete, [before]);
    sql.run(sql.pool().execute_raw(statement)).await.map(drop)
}

/// The hash that stands for a name: people also type their password into the field of the name.
fn account(folded_name: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(folded_name))
}

fn failures(row: &QueryResult) -> Result<(String, Failures), DbErr> {
    let at = Timestamp::from_millis(row.try_get_by_index(2)?);
    Ok((row.try_get_by_index(0)?, Failures { count: row.try_get_by_index(1)?, at }))
}
