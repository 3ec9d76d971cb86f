//! The transaction that exchanges a refresh token for its successor: the rotation, reuse, and the grace.

use std::time::Duration;

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, QueryFilter};
use secrecy::SecretString;

use super::entity::{families, tokens};
use super::token::{hash, successor};
use super::{Exchange, family};
use crate::clock::Timestamp;
use crate::identity::LoginId;
use crate::store::users;

/// For this long after its use a token still fetches its successor: two tabs may renew at the same moment.
pub const GRACE: Duration = Duration::from_secs(10);

/// Marks the token as used, which only one of two requests at the same moment wins; then reads what it was. `None`: the
/// token has no row.
pub(super) async fn exchange(
    transaction: &DatabaseTransaction,
    token: &SecretString,
    now: Timestamp,
) -> Result<Option<Exchange>, DbErr> {
    let hash = hash(token);
    let won = tokens::Entity::update_many()
        .col_expr(tokens::Column::UsedAt, Expr::value(now.as_millis()))
        .filter(tokens::Column::Hash.eq(&hash))
        .filter(tokens::Column::UsedAt.is_null())
        .exec(transaction)
        .await?
        .rows_affected
        == 1;
    let Some(row) = tokens::Entity::find_by_id(&hash).one(transaction).await? else { return Ok(None) };
    let Some(known) = families::Entity::find_by_id(&row.login).one(transaction).await? else {
        return Ok(Some(Exchange::Unknown));
    };
    if known.revoked_at.is_some() {
        return Ok(Some(Exchange::Revoked));
    }
    if known.expires_at <= now.as_millis() {
        return Ok(Some(Exchange::Unknown));
    }
    let used = Timestamp::from_millis(row.used_at.unwrap_or_default());
    if !won && now >= used + GRACE {
        revoke_reused(transaction, &row.login, now).await?;
        let reused = family(known).map(|family| Exchange::Reused(family.user, family.login));
        return Ok(Some(reused.unwrap_or(Exchange::Unknown)));
    }
    let successor = successor(&known.login, &known.secret, token);
    let Some(mut family) = family(known) else { return Ok(Some(Exchange::Unknown)) };
    // In the same transaction: a token that was used without an answer would look like a stolen one later.
    let Some(user) = users::find_in(transaction, family.user).await? else { return Ok(Some(Exchange::Unknown)) };
    if won {
        add(transaction, &family.login, &successor).await?;
        forget_used(transaction, &family.login, now).await?;
        family.seen = now;
        families::Entity::update_many()
            .col_expr(families::Column::SeenAt, Expr::value(now.as_millis()))
            .filter(families::Column::Login.eq(family.login.as_str()))
            .exec(transaction)
            .await?;
    }
    Ok(Some(Exchange::Renewed(family, user, successor)))
}

pub(super) async fn add(transaction: &DatabaseTransaction, login: &LoginId, token: &SecretString) -> Result<(), DbErr> {
    let row = tokens::ActiveModel { hash: Set(hash(token)), login: Set(login.to_string()), used_at: Set(None) };
    tokens::Entity::insert(row).exec_without_returning(transaction).await.map(drop)
}

/// Deletes the rows of tokens that were used longer ago than twice [`GRACE`]: another node's clock may be behind this
/// one's.
async fn forget_used(transaction: &DatabaseTransaction, login: &LoginId, now: Timestamp) -> Result<(), DbErr> {
    tokens::Entity::delete_many()
        .filter(tokens::Column::Login.eq(login.as_str()))
        .filter(tokens::Column::UsedAt.lte((now - 2 * GRACE).as_millis()))
        .exec(transaction)
        .await
        .map(drop)
}

pub(super) async fn revoke_reused(connection: &impl ConnectionTrait, login: &str, now: Timestamp) -> Result<(), DbErr> {
    families::Entity::update_many()
        .col_expr(families::Column::RevokedAt, Expr::value(now.as_millis()))
        .col_expr(families::Column::ReusedAt, Expr::value(now.as_millis()))
        .filter(families::Column::Login.eq(login))
        .filter(families::Column::RevokedAt.is_null())
        .exec(connection)
        .await
        .map(drop)
}
