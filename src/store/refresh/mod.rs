//! Refresh tokens (RFC 9700, 4.14.2): the server accepts each once. A reused one revokes its whole family.
//!
//! A family is a login. Its first token is random, and the database holds tokens as hashes. The successor of a token is
//! derived from the token and a secret of the family.
//!
//! A used token that comes back is a copy, unless the client that used it presents it again:
//!
//! - Within [`GRACE`] the client gets the same successor: two tabs renewed at once.
//! - Later it gets a new successor, if nobody has used the first one: the answer was lost. The server deletes the lost one.
//!   If that comes back, two clients hold tokens of this family.
//!
//! The database keeps only the newest token and the used one before it. An older one names its family and proves that the
//! family made it: so the server recognises it without a row, however long ago it was used. A text that no family made
//! costs one SELECT at most, and no write.
//!
//! - `token.rs`: the text of a token, and how its successor is derived.
//! - `exchange.rs`: the transaction.
//! - `entity.rs`: the two tables.

mod entity;
mod exchange;
mod token;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ActiveValue::Set, Condition, DatabaseTransaction, QueryFilter, QuerySelect, QueryTrait};
use secrecy::SecretString;

use self::entity::{families, tokens};
pub use self::exchange::GRACE;
use self::exchange::{add, exchange};
pub use self::token::RefreshToken;
use self::token::first;
use super::random::{random_bytes, random_secret};
use super::sweeper::Sweeper;
use super::users::User;
use super::{Sql, StoreError};
use crate::clock::{Clock, Timestamp};
use crate::identity::{ClientOrigin, LoginId, UserId};

/// A login under `jwt-refresh`: all its refresh tokens belong to one family.
#[derive(Clone, Debug)]
pub struct Family {
    pub login: LoginId,
    pub user: UserId,
    /// The browser, in a few words.
    pub device: String,
    /// The IP address that logged in.
    pub address: String,
    pub issued: Timestamp,
    /// When it was last renewed.
    pub seen: Timestamp,
    /// Renewals do not move it.
    pub expires: Timestamp,
}

/// What came of a presented refresh token.
#[derive(Debug)]
pub enum Exchange {
    /// Accepted: its family, the user, and its successor.
    Renewed(Family, User, SecretString),
    /// Never issued, or its family has expired, or the user was deleted.
    Unknown,
    /// Its family was revoked before.
    Revoked,
    /// A used one, and not a repeat of the client that used it: somebody has a copy. The store has just revoked its family.
    Reused(Family),
}

/// The refresh tokens of all logins. Rows of expired families are deleted in the background.
#[derive(Debug)]
pub struct RefreshTokens {
    sql: Sql,
    clock: Clock,
    _sweeper: Sweeper,
}

impl RefreshTokens {
    /// Starts the background task. Needs a tokio runtime.
    pub fn new(sql: Sql, clock: Clock) -> Self {
        let (swept, time) = (sql.clone(), clock.clone());
        let sweeper = Sweeper::start("refresh tokens", move || delete_expired(swept.clone(), time.clone()));
        Self { sql, clock, _sweeper: sweeper }
    }

    /// The name of the database, for the trace.
    pub fn store(&self) -> &'static str {
        self.sql.name()
    }

    /// Stores a new family, and returns its first token.
    pub async fn open(&self, family: &Family) -> Result<SecretString, StoreError> {
        let secret = random_secret()?;
        let token = first(&family.login, &secret, random_bytes()?);
        let row = families::ActiveModel {
            login: Set(family.login.to_string()),
            user_id: Set(family.user.0),
            secret: Set(secret),
            device: Set(family.device.clone()),
            address: Set(family.address.clone()),
            issued_at: Set(family.issued.as_millis()),
            seen_at: Set(family.seen.as_millis()),
            expires_at: Set(family.expires.as_millis()),
            revoked_at: Set(None),
            reused_at: Set(None),
        };
        let open = async |transaction: &DatabaseTransaction| {
            families::Entity::insert(row).exec_without_returning(transaction).await?;
            add(transaction, family.login.as_str(), &token).await
        };
        self.sql.transaction(open).await?;
        Ok(token)
    }

    /// Exchanges a token for its successor. `client` presents it.
    pub async fn exchange(&self, token: &RefreshToken, client: &ClientOrigin) -> Result<Exchange, StoreError> {
        let now = self.clock.now();
        // Reads before it writes: anybody can present a text of this form.
        let unexpired = families::Column::ExpiresAt.gt(now.as_millis());
        let family = families::Entity::find_by_id(token.family().as_str()).filter(unexpired).one(self.sql.pool());
        let Some(family) = self.sql.run(family).await?.filter(|family| token.is_of(&family.secret)) else {
            return Ok(Exchange::Unknown);
        };
        if family.revoked_at.is_some() {
            return Ok(Exchange::Revoked);
        }
        self.sql.transaction(async |transaction| exchange(transaction, family, token, client, now).await).await
    }

    /// Revokes one login of this user, or all of them. May be called again. False if there was none to revoke.
    pub async fn revoke(&self, user: UserId, login: Option<&LoginId>) -> Result<bool, StoreError> {
        self.revoke_where(user, login.map(|login| families::Column::Login.eq(login.as_str()))).await
    }

    /// Revokes every login of this user but one. May be called again.
    pub async fn revoke_others(&self, user: UserId, kept: &LoginId) -> Result<(), StoreError> {
        self.revoke_where(user, Some(families::Column::Login.ne(kept.as_str()))).await.map(drop)
    }

    async fn revoke_where(&self, user: UserId, which: Option<SimpleExpr>) -> Result<bool, StoreError> {
        let update = families::Entity::update_many()
            .col_expr(families::Column::RevokedAt, Expr::value(self.clock.now().as_millis()))
            .filter(families::Column::UserId.eq(user.0))
            .filter(families::Column::RevokedAt.is_null())
            .filter(Condition::all().add_option(which))
            .exec(self.sql.pool());
        self.sql.run(async { Ok(update.await?.rows_affected > 0) }).await
    }

    /// Lists the user's families that are neither revoked nor expired.
    pub async fn of_user(&self, user: UserId) -> Result<Vec<Family>, StoreError> {
        let query = families::Entity::find()
            .filter(families::Column::UserId.eq(user.0))
            .filter(families::Column::RevokedAt.is_null())
            .filter(families::Column::ExpiresAt.gt(self.clock.now().as_millis()));
        let rows = self.sql.run(query.all(self.sql.pool())).await?;
        Ok(rows.into_iter().filter_map(family).collect())
    }
}

async fn delete_expired(sql: Sql, clock: Clock) -> Result<(), StoreError> {
    let now = clock.now().as_millis();
    let expired = || families::Column::ExpiresAt.lte(now);
    sql.run(async {
        let logins = families::Entity::find().select_only().column(families::Column::Login).filter(expired());
        let tokens = tokens::Entity::delete_many().filter(tokens::Column::Login.in_subquery(logins.into_query()));
        tokens.exec(sql.pool()).await?;
        families::Entity::delete_many().filter(expired()).exec(sql.pool()).await.map(drop)
    })
    .await
}

fn family(row: families::Model) -> Option<Family> {
    Some(Family {
        login: LoginId::parse(&row.login)?,
        user: UserId(row.user_id),
        device: row.device,
        address: row.address,
        issued: Timestamp::from_millis(row.issued_at),
        seen: Timestamp::from_millis(row.seen_at),
        expires: Timestamp::from_millis(row.expires_at),
    })
}
