//! Disables, enables and deletes users. Each end of a user is a row that every node reads: it then ends the user's logins.
//!
//! The row and the change of the user are one transaction. So a login is either refused because its user has ended, or was
//! opened before the row, and the node that reads the row revokes it.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, Condition, DatabaseTransaction, JoinType, QueryFilter, QuerySelect, RelationDef};

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
        /// When a node first had revoked every login of the user.
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
}

/// A user whose logins every node must end.
#[derive(Clone, Copy, Debug)]
pub struct EndedUser {
    /// The row's own id: a user can be disabled several times.
    pub id: Uuid,
    pub user: UserId,
    pub at: Timestamp,
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

    /// Lists who ended after `since`, and those whose logins no node has ended yet.
    pub async fn since(&self, since: Timestamp) -> Result<Vec<EndedUser>, StoreError> {
        let recent = Condition::any().add(Column::EndedAt.gt(since.as_millis())).add(Column::CarriedOutAt.is_null());
        self.list(Entity::find().filter(recent)).await
    }

    /// Lists those whose logins a node must end before it answers its first request: whose logins no node has ended, and
    /// who ended after `since` and still must not log in.
    pub async fn at_start(&self, since: Timestamp) -> Result<Vec<EndedUser>, StoreError> {
        let user: RelationDef = Entity::belongs_to(users::Entity).from(Column::UserId).to(users::Column::Id).into();
        let must_not = Condition::any().add(users::Column::Id.is_null()).add(users::Column::DisabledAt.is_not_null());
        let still = Condition::all().add(Column::EndedAt.gt(since.as_millis())).add(must_not);
        let query = Entity::find().join(JoinType::LeftJoin, user);
        self.list(query.filter(Condition::any().add(Column::CarriedOutAt.is_null()).add(still))).await
    }

    async fn list(&self, query: Select<Entity>) -> Result<Vec<EndedUser>, StoreError> {
        let rows = self.sql.run(query.all(self.sql.pool())).await?.into_iter();
        let ended = |row: entity::Model| EndedUser {
            id: row.id,
            user: UserId(row.user_id),
            at: Timestamp::from_millis(row.ended_at),
        };
        Ok(rows.map(ended).collect())
    }

    /// Notes that this node has revoked every login of the user.
    pub async fn carried_out(&self, ended: EndedUser) -> Result<(), StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::CarriedOutAt, Expr::value(self.clock.now().as_millis()))
            .filter(Column::Id.eq(ended.id))
            .filter(Column::CarriedOutAt.is_null())
            .exec(self.sql.pool());
        self.sql.run(update).await.map(drop)
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
