//! What was revoked. It stands in the SQL database and survives everything; Redis only carries it fast.

mod cached;

use std::collections::HashMap;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ExprTrait, QueryFilter, QuerySelect};

pub use self::cached::{CachedRevocations, ReadFrom};
use super::sessions::LoginId;
use super::sweeper::Sweeper;
use super::users::UserId;
use super::{Sql, StoreError};
use crate::clock::{Clock, Timestamp};

mod revoked_logins {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "revoked_logins")]
    pub struct Model {
        /// The strategy.
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        /// The token's `jti`.
        #[sea_orm(primary_key, auto_increment = false)]
        pub login: String,
        pub user_id: Uuid,
        /// When the token expires and the row may go. Milliseconds since the Unix epoch.
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod cut_offs {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "cut_offs")]
    pub struct Model {
        /// The strategy.
        #[sea_orm(primary_key, auto_increment = false)]
        pub scope: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        /// Tokens of an earlier generation are dead.
        pub generation: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// What is known of a user's revocations under one strategy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The cut-off: tokens of an earlier generation are dead. A counter, so that a login right after it is good.
    pub generation: i64,
    /// Single logins that were ended, and when their tokens expire anyway.
    pub revoked: HashMap<LoginId, Timestamp>,
}

impl Facts {
    /// Whether a token of this generation and name was revoked.
    pub fn cover(&self, login: &LoginId, generation: i64) -> bool {
        generation < self.generation || self.revoked.contains_key(login)
    }
}

/// The revocations of one strategy in the SQL database. Rows of expired tokens are deleted in the background.
#[derive(Debug)]
pub struct Revocations {
    scope: &'static str,
    sql: Sql,
    clock: Clock,
    _sweeper: Sweeper,
}

impl Revocations {
    /// Of the strategy `scope`. Needs a tokio runtime.
    pub fn new(scope: &'static str, sql: Sql, clock: Clock) -> Self {
        let (swept, hand) = (sql.clone(), clock.clone());
        let sweeper = Sweeper::start("revocations", move || delete_expired(swept.clone(), hand.clone()));
        Self { scope, sql, clock, _sweeper: sweeper }
    }

    /// The name of the database, for the trace.
    pub fn store(&self) -> &'static str {
        self.sql.name()
    }

    /// The user's generation; zero until the first cut-off.
    pub async fn generation(&self, user: UserId) -> Result<i64, StoreError> {
        let query = cut_offs::Entity::find_by_id((self.scope.to_owned(), user.0));
        let query = query.select_only().column(cut_offs::Column::Generation).into_tuple::<i64>();
        Ok(self.sql.run(query.one(self.sql.pool())).await?.unwrap_or_default())
    }

    /// Everything that is known of a user.
    pub async fn facts(&self, user: UserId) -> Result<Facts, StoreError> {
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
        Ok(Facts { generation: self.generation(user).await?, revoked })
    }

    /// Ends one login. May be called again.
    pub async fn revoke(&self, user: UserId, login: &LoginId, expires: Timestamp) -> Result<(), StoreError> {
        let row = revoked_logins::ActiveModel {
            scope: Set(self.scope.to_owned()),
            login: Set(login.to_string()),
            user_id: Set(user.0),
            expires_at: Set(expires.as_millis()),
        };
        let same = OnConflict::columns([revoked_logins::Column::Scope, revoked_logins::Column::Login])
            .update_column(revoked_logins::Column::ExpiresAt)
            .to_owned();
        let insert = revoked_logins::Entity::insert(row).on_conflict(same).exec_without_returning(self.sql.pool());
        self.sql.run(insert).await.map(drop)
    }

    /// Ends every login that was opened until now, in one statement.
    pub async fn cut_off(&self, user: UserId) -> Result<(), StoreError> {
        let row = cut_offs::ActiveModel { scope: Set(self.scope.to_owned()), user_id: Set(user.0), generation: Set(1) };
        let next = ExprTrait::add(Expr::col((cut_offs::Entity, cut_offs::Column::Generation)), 1);
        let raise = OnConflict::columns([cut_offs::Column::Scope, cut_offs::Column::UserId])
            .value(cut_offs::Column::Generation, next)
            .to_owned();
        let insert = cut_offs::Entity::insert(row).on_conflict(raise).exec_without_returning(self.sql.pool());
        self.sql.run(insert).await.map(drop)
    }
}

async fn delete_expired(sql: Sql, clock: Clock) -> Result<(), StoreError> {
    let expired = revoked_logins::Column::ExpiresAt.lte(clock.now().as_millis());
    sql.run(revoked_logins::Entity::delete_many().filter(expired).exec(sql.pool())).await.map(drop)
}
