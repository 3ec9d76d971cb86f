//! The transaction that exchanges a refresh token for its successor: the rotation, a client's repeat, reuse.

use std::time::Duration;

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, QueryFilter};
use secrecy::SecretString;

use super::entity::{families, tokens};
use super::token::{RefreshToken, hash};
use super::{Exchange, family};
use crate::clock::Timestamp;
use crate::identity::ClientOrigin;
use crate::store::users;

/// For this long after its use a token fetches the same successor again, for the client that used it: two tabs may renew
/// at the same moment.
pub const GRACE: Duration = Duration::from_secs(10);

/// What a presented token is. Successors of one token are numbered: a later one replaces a lost one.
enum Judgement {
    /// It is used now: its successor with this number is new.
    Used(i32),
    /// Another tab of the same client used it a moment ago.
    Repeated(i32),
    /// Somebody has a copy.
    Copied,
}

/// Exchanges a token that this family made.
pub(super) async fn exchange(
    transaction: &DatabaseTransaction,
    known: families::Model,
    token: &RefreshToken,
    client: &ClientOrigin,
    now: Timestamp,
) -> Result<Exchange, DbErr> {
    // First: it locks the family. Its exchanges happen one after the other, and a revoke comes before or after.
    if !see(transaction, &known.login, now).await? {
        return Ok(Exchange::Revoked);
    }
    let secret = known.secret.clone();
    let Some(mut family) = family(known) else { return Ok(Exchange::Unknown) };
    // In the same transaction: a token that was used without an answer would look like a stolen one later.
    let Some(user) = users::find_in(transaction, family.user).await? else { return Ok(Exchange::Unknown) };
    let mark = token.mark(&secret, client);
    let number = match judge(transaction, token, &secret, &mark, now).await? {
        Judgement::Used(number) => {
            use_up(transaction, token, number, mark, now).await?;
            forget_used(transaction, token, now).await?;
            add(transaction, token.family().as_str(), &token.successor(&secret, number)).await?;
            number
        }
        Judgement::Repeated(number) => number,
        Judgement::Copied => {
            revoke_reused(transaction, token, now).await?;
            return Ok(Exchange::Reused(family));
        }
    };
    family.seen = now;
    Ok(Exchange::Renewed(family, user, token.successor(&secret, number)))
}

/// Judges a token by its row. Without one the family used it up long ago, or replaced it.
async fn judge(
    transaction: &DatabaseTransaction,
    token: &RefreshToken,
    secret: &str,
    mark: &str,
    now: Timestamp,
) -> Result<Judgement, DbErr> {
    let Some(row) = tokens::Entity::find_by_id(token.hash()).one(transaction).await? else {
        return Ok(Judgement::Copied);
    };
    let Some(used) = row.used_at else { return Ok(Judgement::Used(0)) };
    if row.used_by.as_deref() != Some(mark) {
        return Ok(Judgement::Copied);
    }
    if now < Timestamp::from_millis(used) + GRACE {
        return Ok(Judgement::Repeated(row.successor));
    }
    // The answer was lost, if nobody has used the successor yet. From now on whoever presents it is a second client.
    let lost = tokens::Entity::delete_many()
        .filter(tokens::Column::Hash.eq(hash(&token.successor(secret, row.successor))))
        .filter(tokens::Column::UsedAt.is_null())
        .exec(transaction)
        .await?
        .rows_affected
        == 1;
    Ok(if lost { Judgement::Used(row.successor + 1) } else { Judgement::Copied })
}

/// Notes that the family is in use. False: it was revoked.
async fn see(transaction: &DatabaseTransaction, login: &str, now: Timestamp) -> Result<bool, DbErr> {
    let seen = families::Entity::update_many()
        .col_expr(families::Column::SeenAt, Expr::value(now.as_millis()))
        .filter(families::Column::Login.eq(login))
        .filter(families::Column::RevokedAt.is_null())
        .exec(transaction);
    Ok(seen.await?.rows_affected == 1)
}

async fn use_up(
    transaction: &DatabaseTransaction,
    token: &RefreshToken,
    number: i32,
    mark: String,
    now: Timestamp,
) -> Result<(), DbErr> {
    tokens::Entity::update_many()
        .col_expr(tokens::Column::UsedAt, Expr::value(now.as_millis()))
        .col_expr(tokens::Column::UsedBy, Expr::value(mark))
        .col_expr(tokens::Column::Successor, Expr::value(number))
        .filter(tokens::Column::Hash.eq(token.hash()))
        .exec(transaction)
        .await
        .map(drop)
}

pub(super) async fn add(transaction: &DatabaseTransaction, login: &str, token: &SecretString) -> Result<(), DbErr> {
    let row = tokens::ActiveModel {
        hash: Set(hash(token)),
        login: Set(login.to_owned()),
        used_at: Set(None),
        used_by: Set(None),
        successor: Set(0),
    };
    tokens::Entity::insert(row).exec_without_returning(transaction).await.map(drop)
}

/// Deletes the rows of tokens that were used longer ago than twice [`GRACE`]: another node's clock may be behind this
/// one's.
async fn forget_used(transaction: &DatabaseTransaction, token: &RefreshToken, now: Timestamp) -> Result<(), DbErr> {
    tokens::Entity::delete_many()
        .filter(tokens::Column::Login.eq(token.family().as_str()))
        .filter(tokens::Column::UsedAt.lte((now - 2 * GRACE).as_millis()))
        .exec(transaction)
        .await
        .map(drop)
}

async fn revoke_reused(transaction: &DatabaseTransaction, token: &RefreshToken, now: Timestamp) -> Result<(), DbErr> {
    families::Entity::update_many()
        .col_expr(families::Column::RevokedAt, Expr::value(now.as_millis()))
        .col_expr(families::Column::ReusedAt, Expr::value(now.as_millis()))
        .filter(families::Column::Login.eq(token.family().as_str()))
        .exec(transaction)
        .await
        .map(drop)
}
