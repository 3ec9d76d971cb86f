//! Refresh tokens (RFC 9700, 4.14.2): each is good once, and a used one that comes back ends its whole family.
//!
//! A family is a login. Its tokens are random and stored as hashes. The successor of a token is derived from the token
//! and a secret of the family, so it is always the same one: two tabs that renew at once get the same token, and no
//! second branch of the family can come to life unseen.

mod entity;

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, QueryFilter, QuerySelect, QueryTrait, TransactionTrait};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use self::entity::{families, tokens};
use super::sessions::LoginId;
use super::sweeper::Sweeper;
use super::users::{self, User, UserId};
use super::{Sql, StoreError, random_secret};
use crate::clock::{Clock, Timestamp};

/// For this long a used token is answered with its successor again: tabs that renewed at the same moment.
pub const GRACE: Duration = Duration::from_secs(10);

/// A login that refresh tokens keep alive.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its public name.
    pub login: LoginId,
    /// Whose it is.
    pub user: UserId,
    /// The browser, in a few words.
    pub device: String,
    /// The address that logged in.
    pub address: String,
    /// When it was opened.
    pub issued: Timestamp,
    /// When it was last renewed.
    pub seen: Timestamp,
    /// When it ends in any case.
    pub expires: Timestamp,
}

/// What a presented refresh token is.
#[derive(Debug)]
pub enum Exchange {
    /// Good: its family, whose user is still there, and its successor.
    Renewed(Family, User, SecretString),
    /// Never issued, or its family has expired.
    Unknown,
    /// Its family was ended.
    Ended,
    /// Used before, too long ago: somebody has a copy. The family was ended now.
    Reused,
}

/// The refresh tokens of all logins. Rows of expired families are deleted in the background.
#[derive(Debug)]
pub struct RefreshTokens {
    sql: Sql,
    clock: Clock,
    _sweeper: Sweeper,
}

impl RefreshTokens {
    /// On this database. Needs a tokio runtime.
    pub fn new(sql: Sql, clock: Clock) -> Self {
        let (swept, hand) = (sql.clone(), clock.clone());
        let sweeper = Sweeper::start("refresh tokens", move || delete_expired(swept.clone(), hand.clone()));
        Self { sql, clock, _sweeper: sweeper }
    }

    /// The name of the database, for the trace.
    pub fn store(&self) -> &'static str {
        self.sql.name()
    }

    /// Opens a family. Its first token.
    pub async fn open(&self, family: &Family) -> Result<SecretString, StoreError> {
        let token = SecretString::from(random_secret()?);
        let row = families::ActiveModel {
            login: Set(family.login.to_string()),
            user_id: Set(family.user.0),
            secret: Set(random_secret()?),
            device: Set(family.device.clone()),
            address: Set(family.address.clone()),
            issued_at: Set(family.issued.as_millis()),
            seen_at: Set(family.seen.as_millis()),
            expires_at: Set(family.expires.as_millis()),
            ended_at: Set(None),
            reused_at: Set(None),
        };
        let opened = async {
            let transaction = self.sql.pool().begin().await?;
            families::Entity::insert(row).exec_without_returning(&transaction).await?;
            add(&transaction, &family.login, &token).await?;
            transaction.commit().await
        };
        self.sql.run(opened).await?;
        Ok(token)
    }

    /// Exchanges a token for its successor.
    pub async fn exchange(&self, token: &SecretString) -> Result<Exchange, StoreError> {
        let now = self.clock.now();
        self.sql
            .run(async {
                let transaction = self.sql.pool().begin().await?;
                let exchange = exchange(&transaction, token, now).await?;
                transaction.commit().await?;
                Ok(exchange)
            })
            .await
    }

    /// Ends one login of this user, or all of them. May be called again.
    pub async fn end(&self, user: UserId, login: Option<&LoginId>) -> Result<(), StoreError> {
        let mut update = families::Entity::update_many()
            .col_expr(families::Column::EndedAt, Expr::value(self.clock.now().as_millis()))
            .filter(families::Column::UserId.eq(user.0))
            .filter(families::Column::EndedAt.is_null());
        if let Some(login) = login {
            update = update.filter(families::Column::Login.eq(login.as_str()));
        }
        self.sql.run(update.exec(self.sql.pool())).await.map(drop)
    }

    /// The user's families that are alive.
    pub async fn of_user(&self, user: UserId) -> Result<Vec<Family>, StoreError> {
        let query = families::Entity::find()
            .filter(families::Column::UserId.eq(user.0))
            .filter(families::Column::EndedAt.is_null())
            .filter(families::Column::ExpiresAt.gt(self.clock.now().as_millis()));
        let rows = self.sql.run(query.all(self.sql.pool())).await?;
        Ok(rows.into_iter().filter_map(family).collect())
    }
}

/// First the write, which only one of two at the same moment wins; then the question what it found.
async fn exchange(transaction: &DatabaseTransaction, token: &SecretString, now: Timestamp) -> Result<Exchange, DbErr> {
    let hash = hash(token);
    let won = tokens::Entity::update_many()
        .col_expr(tokens::Column::UsedAt, Expr::value(now.as_millis()))
        .filter(tokens::Column::Hash.eq(&hash))
        .filter(tokens::Column::UsedAt.is_null())
        .exec(transaction)
        .await?
        .rows_affected
        == 1;
    let Some(row) = tokens::Entity::find_by_id(&hash).one(transaction).await? else { return Ok(Exchange::Unknown) };
    let Some(known) = families::Entity::find_by_id(&row.login).one(transaction).await? else {
        return Ok(Exchange::Unknown);
    };
    if known.ended_at.is_some() {
        return Ok(Exchange::Ended);
    }
    if known.expires_at <= now.as_millis() {
        return Ok(Exchange::Unknown);
    }
    let used = Timestamp::from_millis(row.used_at.unwrap_or_default());
    if !won && now >= used + GRACE {
        end_reused(transaction, &row.login, now).await?;
        return Ok(Exchange::Reused);
    }
    let successor = successor(&known.secret, token);
    let Some(mut family) = family(known) else { return Ok(Exchange::Unknown) };
    // In the same step: a token that was used up without an answer would look like a stolen one later.
    let Some(user) = users::find_in(transaction, family.user).await? else { return Ok(Exchange::Unknown) };
    if won {
        add(transaction, &family.login, &successor).await?;
        family.seen = now;
        families::Entity::update_many()
            .col_expr(families::Column::SeenAt, Expr::value(now.as_millis()))
            .filter(families::Column::Login.eq(family.login.as_str()))
            .exec(transaction)
            .await?;
    }
    Ok(Exchange::Renewed(family, user, successor))
}

async fn add(transaction: &DatabaseTransaction, login: &LoginId, token: &SecretString) -> Result<(), DbErr> {
    let row = tokens::ActiveModel { hash: Set(hash(token)), login: Set(login.to_string()), used_at: Set(None) };
    tokens::Entity::insert(row).exec_without_returning(transaction).await.map(drop)
}

async fn end_reused(transaction: &DatabaseTransaction, login: &str, now: Timestamp) -> Result<(), DbErr> {
    families::Entity::update_many()
        .col_expr(families::Column::EndedAt, Expr::value(now.as_millis()))
        .col_expr(families::Column::ReusedAt, Expr::value(now.as_millis()))
        .filter(families::Column::Login.eq(login))
        .exec(transaction)
        .await
        .map(drop)
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

fn hash(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose_secret()))
}

fn successor(secret: &str, token: &SecretString) -> SecretString {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    SecretString::from(URL_SAFE_NO_PAD.encode(hmac::sign(&key, token.expose_secret().as_bytes())))
}
