//! Disables, enables and deletes users. Each end of a user is a row that every node reads: it then ends the user's logins.
//!
//! The row and the change of the user are one transaction. So a login is either refused because its user has ended, or was
//! opened before the row, and the node that reads the row revokes it.
//!
//! The row also says whether the logins in the database were revoked. `redis_notes.rs` says it of those in a Redis.

mod redis_notes;

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, Condition, DatabaseTransaction, QueryFilter, QuerySelect};

pub use self::redis_notes::RedisNotes;
use super::users::entity as users;
use super::{Sql, StoreError};
use crate::clock::{Clock, Timestamp};
use crate::identity::UserId;

/// The most users that one transaction ends.
const BATCH: u64 = 200;

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "ended_users")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub user_id: Uuid,
        pub cause: String,
        /// Like every time here: milliseconds since the Unix epoch.
        pub ended_at: i64,
        /// When a node first had revoked every login of the user in this database.
        pub carried_out_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity};

/// Why a user's logins end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    Disabled,
    Deleted,
    Reset,
}

impl EndCause {
    fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
            Self::Reset => "reset",
        }
    }

    /// Reads a name. A later version may have written one that this one does not know.
    fn of(name: &str) -> Self {
        [Self::Disabled, Self::Deleted].into_iter().find(|cause| cause.name() == name).unwrap_or(Self::Reset)
    }
}

/// A user whose logins every node must end.
#[derive(Clone, Copy, Debug)]
pub struct EndedUser {
    /// The row's own id: a user can be disabled several times.
    pub id: Uuid,
    pub user: UserId,
    pub at: Timestamp,
    pub cause: EndCause,
    /// Whether a node has revoked the logins in the SQL database.
    pub is_done_in_sql: bool,
}

/// Ends users, and lists those who have ended.
#[derive(Clone, Debug)]
pub struct EndedUsers {
    sql: Sql,
    clock: Clock,
}

impl EndedUsers {
    pub fn new(sql: Sql, clock: Clock) -> Self {
        Self { sql, clock }
    }

    /// Disables a user: no log in, no renewal, no password change. False if the user is disabled already or not there.
    pub async fn disable(&self, user: UserId) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let disable = users::Entity::update_many()
            .col_expr(users::Column::DisabledAt, Expr::value(now.as_millis()))
            .filter(users::Column::Id.eq(user.0))
            .filter(users::Column::DisabledAt.is_null());
        let work = async |transaction: &DatabaseTransaction| {
            let disabled = disable.exec(transaction).await?.rows_affected == 1;
            if disabled {
                note(transaction, &[user.0], EndCause::Disabled, now).await?;
            }
            Ok(disabled)
        };
        self.sql.transaction(work).await
    }

    /// Lets a disabled user log in again. The ended logins stay ended. False if the user is not disabled or not there.
    pub async fn enable(&self, user: UserId) -> Result<bool, StoreError> {
        let enable = users::Entity::update_many()
            .col_expr(users::Column::DisabledAt, Expr::value(Option::<i64>::None))
            .filter(users::Column::Id.eq(user.0))
            .filter(users::Column::DisabledAt.is_not_null())
            .exec(self.sql.pool());
        self.sql.run(async { Ok(enable.await?.rows_affected == 1) }).await
    }

    /// Deletes a user. Who registers the name later gets another id, so no old credential is theirs. False if the user is
    /// not there.
    pub async fn delete(&self, user: UserId) -> Result<bool, StoreError> {
        Ok(self.delete_all(&[user.0], EndCause::Deleted).await? == 1)
    }

    /// Ends every login of a user who may go on to log in: the password was public.
    pub async fn end_logins(&self, user: UserId) -> Result<(), StoreError> {
        let now = self.clock.now();
        let work = async |transaction: &DatabaseTransaction| note(transaction, &[user.0], EndCause::Reset, now).await;
        self.sql.transaction(work).await
    }

    /// Deletes every user, a batch at a time. Returns how many.
    pub async fn delete_everybody(&self) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let next = users::Entity::find().select_only().column(users::Column::Id).limit(BATCH).into_tuple::<Uuid>();
            let ids = self.sql.run(next.all(self.sql.pool())).await?;
            if ids.is_empty() {
                return Ok(deleted);
            }
            deleted += self.delete_all(&ids, EndCause::Reset).await?;
        }
    }

    async fn delete_all(&self, ids: &[Uuid], cause: EndCause) -> Result<u64, StoreError> {
        let (now, these) = (self.clock.now(), users::Column::Id.is_in(ids.iter().copied()));
        let work = async |transaction: &DatabaseTransaction| {
            let deleted = users::Entity::delete_many().filter(these).exec(transaction).await?.rows_affected;
            if deleted > 0 {
                note(transaction, ids, cause, now).await?;
            }
            Ok(deleted)
        };
        self.sql.transaction(work).await
    }

    /// Lists who ended after `since`, and those whose logins in the database no node has revoked yet.
    pub async fn since(&self, since: Timestamp) -> Result<Vec<EndedUser>, StoreError> {
        let recent = Condition::any().add(Column::EndedAt.gt(since.as_millis())).add(Column::CarriedOutAt.is_null());
        let rows = self.sql.run(Entity::find().filter(recent).all(self.sql.pool())).await?.into_iter();
        let ended = |row: entity::Model| EndedUser {
            id: row.id,
            user: UserId(row.user_id),
            at: Timestamp::from_millis(row.ended_at),
            cause: EndCause::of(&row.cause),
            is_done_in_sql: row.carried_out_at.is_some(),
        };
        Ok(rows.map(ended).collect())
    }

    /// Notes that this node has revoked the logins in the database.
    pub async fn carried_out(&self, done: &[EndedUser]) -> Result<(), StoreError> {
        for batch in done.chunks(1000) {
            let update = Entity::update_many()
                .col_expr(Column::CarriedOutAt, Expr::value(self.clock.now().as_millis()))
                .filter(Column::Id.is_in(batch.iter().map(|ended| ended.id)))
                .filter(Column::CarriedOutAt.is_null())
                .exec(self.sql.pool());
            self.sql.run(update).await?;
        }
        Ok(())
    }
}

async fn note(transaction: &DatabaseTransaction, ids: &[Uuid], cause: EndCause, now: Timestamp) -> Result<(), DbErr> {
    let rows = ids.iter().map(|id| ActiveModel {
        id: Set(Uuid::new_v4()),
        user_id: Set(*id),
        cause: Set(cause.name().to_owned()),
        ended_at: Set(now.as_millis()),
        carried_out_at: Set(None),
    });
    Entity::insert_many(rows).exec_without_returning(transaction).await.map(drop)
}

#[cfg(test)]
mod tests;
