//! Revocations. The SQL database keeps them durably; Redis only makes them fast to read.
//!
//! [`Revocations`] are the durable ones, in the tables of `entity.rs`. `cached.rs` reads them through Redis, `pushed.rs`
//! keeps them in the memory of every node.

mod cached;
mod entity;
mod pushed;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ExprTrait, QueryFilter, QueryOrder, QuerySelect};

pub use self::cached::CachedRevocations;
use self::entity::{generations, revoked_logins};
pub use self::pushed::PushedRevocations;
use self::pushed::Revocation;
use super::sweeper::Sweeper;
use super::{Footprint, Sql, StoreError};
use crate::clock::{Clock, Timestamp};
use crate::identity::{LoginId, UserId};

/// The store that a check read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFrom {
    Redis,
    /// Redis did not have it, so the SQL database.
    Sql,
}

/// What a check of a token read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevocationLookup {
    pub is_revoked: bool,
    pub read_from: ReadFrom,
}

/// Names each way to revoke in words, for the trace.
#[derive(Debug)]
pub struct RevocationCommands {
    pub revoke: &'static str,
    pub raise_generation: &'static str,
}

/// Revokes tokens, and checks whether one was revoked. After an error it is unknown whether the token was revoked, or the
/// revoke was carried out.
#[async_trait]
pub trait RevocationList: std::fmt::Debug + Send + Sync + 'static {
    /// Names its commands in words.
    fn commands(&self) -> &'static RevocationCommands;

    /// Reads the user's generation from the SQL database, for a new token. Fails if a check of that token would fail.
    async fn generation(&self, user: UserId) -> Result<i64, StoreError>;

    /// Whether a token of this generation and name was revoked, from the memory of this process. `None`: it does not know,
    /// or may be stale.
    fn recall(&self, _user: UserId, _login: &LoginId, _generation: i64) -> Option<bool> {
        None
    }

    /// Whether a token of this generation and name was revoked, from the stores.
    async fn look_up(&self, user: UserId, login: &LoginId, generation: i64) -> Result<RevocationLookup, StoreError>;

    /// Revokes one login, whose token expires by itself at `expires`. May be called again.
    async fn revoke(&self, user: UserId, login: &LoginId, expires: Timestamp) -> Result<(), StoreError>;

    /// Revokes every login that was opened until now.
    async fn raise_generation(&self, user: UserId) -> Result<(), StoreError>;

    /// Measures what the stores keep of a user without revocations.
    async fn footprint(&self, user: UserId) -> Result<Footprint, StoreError>;
}

/// The most rows that one statement reads.
const PAGE: u64 = 10_000;

/// A user's revocations under one strategy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserRevocations {
    /// Tokens of an earlier generation are revoked. A counter and not a time, so that a login in the same millisecond as
    /// the revoke is accepted.
    pub generation: i64,
    /// Single revoked logins, and when their tokens expire by themselves.
    pub revoked: HashMap<LoginId, Timestamp>,
}

impl UserRevocations {
    /// Whether a token of this generation and name was revoked.
    pub fn covers(&self, login: &LoginId, generation: i64) -> bool {
        generation < self.generation || self.revoked.contains_key(login)
    }
}

/// The revocations of one strategy in the SQL database. A background task deletes the rows of expired logins.
#[derive(Debug)]
pub struct Revocations {
    scope: &'static str,
    sql: Sql,
    clock: Clock,
    /// The longest life of a token or of a session.
    life: Duration,
    _sweeper: Sweeper,
}

impl Revocations {
    /// Those of the strategy `scope`, whose tokens or sessions live for `life` at most. Needs a tokio runtime.
    pub fn new(scope: &'static str, sql: Sql, life: Duration, clock: Clock) -> Self {
        let (swept, time) = (sql.clone(), clock.clone());
        let sweeper = Sweeper::start("revocations", move || delete_expired(swept.clone(), time.clone()));
        Self { scope, sql, clock, life, _sweeper: sweeper }
    }

    /// Reads the user's generation; zero until it is first raised.
    pub async fn generation(&self, user: UserId) -> Result<i64, StoreError> {
        let query = generations::Entity::find_by_id((self.scope.to_owned(), user.0));
        let query = query.select_only().column(generations::Column::Generation).into_tuple::<i64>();
        Ok(self.sql.run(query.one(self.sql.pool())).await?.unwrap_or_default())
    }

    /// Reads a user's generation and revoked logins.
    pub async fn of_user(&self, user: UserId) -> Result<UserRevocations, StoreError> {
        let now = self.clock.now().as_millis();
        let query = revoked_logins::Entity::find()
            .filter(revoked_logins::Column::Scope.eq(self.scope))
            .filter(revoked_logins::Column::UserId.eq(user.0))
            .filter(revoked_logins::Column::ExpiresAt.gt(now));
        let rows = self.sql.run(query.all(self.sql.pool())).await?;
        let revoked = rows
            .into_iter()
            .filter_map(|row| Some((LoginId::parse(&row.login)?, Timestamp::from_millis(row.expires_at))))
            .collect();
        Ok(UserRevocations { generation: self.generation(user).await?, revoked })
    }

    /// Reads all that a token may still meet: the revoked logins, and the generations raised within a token's life.
    async fn all(&self) -> Result<Vec<Revocation>, StoreError> {
        let mut all = Vec::new();
        self.each(|user, login, until| all.push(Revocation::Login(user, login, until))).await?;
        let generations = self.recent_generations().await?.into_iter().map(|row| {
            let until = Timestamp::from_millis(row.raised_at) + self.life;
            Revocation::Generation(UserId(row.user_id), row.generation, until)
        });
        all.extend(generations);
        Ok(all)
    }

    /// Reads the single revoked logins that would not have expired yet.
    pub(super) async fn revoked_logins(&self) -> Result<Vec<(UserId, LoginId)>, StoreError> {
        let mut logins = Vec::new();
        self.each(|user, login, _| logins.push((user, login))).await?;
        Ok(logins)
    }

    /// Reads which users' generations were raised within the life of a login, and when.
    pub(super) async fn raised_generations(&self) -> Result<Vec<(UserId, Timestamp)>, StoreError> {
        let rows = self.recent_generations().await?.into_iter();
        Ok(rows.map(|row| (UserId(row.user_id), Timestamp::from_millis(row.raised_at))).collect())
    }

    /// Reads the name of this database: two may use one Redis, and have different revocations.
    pub(super) async fn database(&self) -> Result<String, StoreError> {
        self.sql.identity().await
    }

    async fn recent_generations(&self) -> Result<Vec<generations::Model>, StoreError> {
        let since = (self.clock.now() - self.life).as_millis();
        let recent = generations::Entity::find()
            .filter(generations::Column::Scope.eq(self.scope))
            .filter(generations::Column::RaisedAt.gt(since));
        self.sql.run(recent.all(self.sql.pool())).await
    }

    /// Reads the revoked logins in pages, along the primary key: each statement stays within its time limit, whatever the
    /// number of rows.
    async fn each(&self, mut take: impl FnMut(UserId, LoginId, Timestamp)) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut after: Option<(Uuid, String)> = None;
        loop {
            let page = self.page(now, after.as_ref()).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some((last.user_id, last.login.clone()));
            for row in page {
                if let Some(login) = LoginId::parse(&row.login) {
                    take(UserId(row.user_id), login, Timestamp::from_millis(row.expires_at));
                }
            }
        }
    }

    async fn page(
        &self,
        now: Timestamp,
        after: Option<&(Uuid, String)>,
    ) -> Result<Vec<revoked_logins::Model>, StoreError> {
        use revoked_logins::Column;
        let mut query = revoked_logins::Entity::find()
            .filter(Column::Scope.eq(self.scope))
            .filter(Column::ExpiresAt.gt(now.as_millis()))
            .order_by_asc(Column::UserId)
            .order_by_asc(Column::Login)
            .limit(PAGE);
        if let Some((user, login)) = after {
            let same_user = Column::UserId.eq(*user).and(Column::Login.gt(login));
            query = query.filter(Column::UserId.gt(*user).or(same_user));
        }
        self.sql.run(query.all(self.sql.pool())).await
    }

    /// Revokes one login. May be called again.
    pub async fn revoke(&self, user: UserId, login: &LoginId, expires: Timestamp) -> Result<(), StoreError> {
        self.insert(user, std::slice::from_ref(login), expires).await
    }

    /// Revokes logins whose expiry is unknown: the rows stay for the longest life of a login. May be called again.
    pub async fn revoke_all(&self, user: UserId, logins: &[LoginId]) -> Result<(), StoreError> {
        // A statement has room for some thousand values.
        for batch in logins.chunks(1000) {
            self.insert(user, batch, self.clock.now() + self.life).await?;
        }
        Ok(())
    }

    async fn insert(&self, user: UserId, logins: &[LoginId], expires: Timestamp) -> Result<(), StoreError> {
        let rows = logins.iter().map(|login| revoked_logins::ActiveModel {
            scope: Set(self.scope.to_owned()),
            login: Set(login.to_string()),
            user_id: Set(user.0),
            expires_at: Set(expires.as_millis()),
        });
        let same = OnConflict::columns([
            revoked_logins::Column::Scope,
            revoked_logins::Column::UserId,
            revoked_logins::Column::Login,
        ])
        .update_column(revoked_logins::Column::ExpiresAt)
        .to_owned();
        let insert = revoked_logins::Entity::insert_many(rows).on_conflict(same);
        self.sql.run(insert.exec_without_returning(self.sql.pool())).await.map(drop)
    }

    /// Revokes every login that was opened until now, in one statement.
    pub async fn raise_generation(&self, user: UserId) -> Result<(), StoreError> {
        let row = generations::ActiveModel {
            scope: Set(self.scope.to_owned()),
            user_id: Set(user.0),
            generation: Set(1),
            raised_at: Set(self.clock.now().as_millis()),
        };
        let next = ExprTrait::add(Expr::col((generations::Entity, generations::Column::Generation)), 1);
        let raise = OnConflict::columns([generations::Column::Scope, generations::Column::UserId])
            .value(generations::Column::Generation, next)
            .update_column(generations::Column::RaisedAt)
            .to_owned();
        let insert = generations::Entity::insert(row).on_conflict(raise).exec_without_returning(self.sql.pool());
        self.sql.run(insert).await.map(drop)
    }
}

async fn delete_expired(sql: Sql, clock: Clock) -> Result<(), StoreError> {
    let expired = revoked_logins::Column::ExpiresAt.lte(clock.now().as_millis());
    sql.run(revoked_logins::Entity::delete_many().filter(expired).exec(sql.pool())).await.map(drop)
}
