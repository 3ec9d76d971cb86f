//! The users: one table, names unique after folding, password hashes as PHC strings.

use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, ExprTrait, QueryFilter, QueryOrder, QuerySelect, SqlErr};

use super::{Sql, StoreError};
use crate::clock::Timestamp;
use crate::identity::{Role, UnknownRole, UserId};

/// The query of every check under `jwt-generation`.
const GENERATION: &str = "SELECT generation FROM users WHERE id = $1";

/// The most rows that one statement writes.
const BATCH: usize = 500;

/// A row of the table.
#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    /// The name as it was typed at the registration.
    pub name: String,
    pub role: Role,
    /// A PHC string of argon2id.
    pub password_hash: String,
    /// Must not log in. [`super::ended_users`] changes it.
    pub is_disabled: bool,
}

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub name: String,
        /// The name after normalisation and case folding, by which users are found.
        #[sea_orm(unique)]
        pub name_folded: String,
        pub role: String,
        pub password_hash: String,
        /// Milliseconds since the Unix epoch.
        pub created_at: i64,
        /// Raised to revoke every login of the user under `jwt-generation`.
        pub generation: i64,
        /// Since when the user must not log in, in milliseconds since the Unix epoch.
        pub disabled_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

impl User {
    fn from_row(row: Model) -> Result<Self, DbErr> {
        let role = row.role.parse().map_err(|unknown: UnknownRole| DbErr::Type(unknown.to_string()))?;
        let is_disabled = row.disabled_at.is_some();
        Ok(Self { id: UserId(row.id), name: row.name, role, password_hash: row.password_hash, is_disabled })
    }
}

/// Reads a user who may log in, inside a transaction.
pub(super) async fn find_in(transaction: &DatabaseTransaction, id: UserId) -> Result<Option<User>, DbErr> {
    Entity::find_by_id(id.0)
        .filter(Column::DisabledAt.is_null())
        .one(transaction)
        .await?
        .map(User::from_row)
        .transpose()
}

/// Queries on the users.
#[derive(Clone, Debug)]
pub struct Users(Sql);

impl Users {
    pub fn new(sql: Sql) -> Self {
        Self(sql)
    }

    /// The name of the database, for the trace.
    pub fn store(&self) -> &'static str {
        self.0.name()
    }

    /// Reads a user by the folded name.
    pub async fn find(&self, folded: &str) -> Result<Option<User>, StoreError> {
        let query = Entity::find().filter(Column::NameFolded.eq(folded)).one(self.0.pool());
        self.0.run(async { query.await?.map(User::from_row).transpose() }).await
    }

    pub async fn get(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let query = Entity::find_by_id(id.0).one(self.0.pool());
        self.0.run(async { query.await?.map(User::from_row).transpose() }).await
    }

    /// Lists users whose folded name begins with a text, by name. Leaves out those whom experiments add.
    pub async fn list(&self, beginning: &str, at_most: u64) -> Result<Vec<User>, StoreError> {
        let query = Entity::find()
            .filter(Column::NameFolded.starts_with(beginning))
            .filter(Column::NameFolded.not_like("(%"))
            .order_by_asc(Column::NameFolded)
            .limit(at_most)
            .all(self.0.pool());
        self.0.run(async { query.await?.into_iter().map(User::from_row).collect() }).await
    }

    /// Adds a user. False if the folded name is taken: the database decides that in the same statement.
    pub async fn insert(&self, user: &User, folded: &str, now: Timestamp) -> Result<bool, StoreError> {
        let row = ActiveModel {
            id: Set(user.id.0),
            name: Set(user.name.clone()),
            name_folded: Set(folded.to_owned()),
            role: Set(user.role.name().to_owned()),
            password_hash: Set(user.password_hash.clone()),
            created_at: Set(now.as_millis()),
            generation: Set(0),
            disabled_at: Set(user.is_disabled.then(|| now.as_millis())),
        };
        let insert = Entity::insert(row).exec_without_returning(self.0.pool());
        self.0
            .run(async {
                match insert.await {
                    Ok(_) => Ok(true),
                    Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(false),
                    Err(error) => Err(error),
                }
            })
            .await
    }

    /// Adds users for an experiment. Nobody can log in as one: they have no name that fits a form, and no password.
    pub async fn insert_nameless(&self, ids: &[UserId], now: Timestamp) -> Result<(), StoreError> {
        for batch in ids.chunks(BATCH) {
            let rows = batch.iter().map(|id| ActiveModel {
                id: Set(id.0),
                // No form accepts this name, and no password has this hash.
                name: Set(format!("({id})")),
                name_folded: Set(format!("({id})")),
                role: Set(Role::User.name().to_owned()),
                password_hash: Set("!".to_owned()),
                created_at: Set(now.as_millis()),
                generation: Set(0),
                disabled_at: Set(None),
            });
            self.0.run(Entity::insert_many(rows).exec_without_returning(self.0.pool())).await?;
        }
        Ok(())
    }

    /// Deletes users. Their logins stay in the other tables until they expire.
    pub async fn remove(&self, ids: &[UserId]) -> Result<(), StoreError> {
        for batch in ids.chunks(BATCH) {
            let these = Column::Id.is_in(batch.iter().map(|id| id.0));
            self.0.run(Entity::delete_many().filter(these).exec(self.0.pool())).await?;
        }
        Ok(())
    }

    /// Reads the user's generation; `None` if there is no user of this id.
    pub async fn generation(&self, id: UserId) -> Result<Option<i64>, StoreError> {
        self.0.find(GENERATION, id.0.into()).await
    }

    /// Raises the user's generation by one, in one statement: of two at once none is lost.
    pub async fn raise_generation(&self, id: UserId) -> Result<(), StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::Generation, ExprTrait::add(Expr::col(Column::Generation), 1))
            .filter(Column::Id.eq(id.0))
            .exec(self.0.pool());
        self.0.run(update).await.map(drop)
    }

    /// Replaces the password hash if it still is `old`. False if another request changed it meanwhile.
    pub async fn replace_hash(&self, id: UserId, old: &str, new: &str) -> Result<bool, StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::PasswordHash, Expr::value(new))
            .filter(Column::Id.eq(id.0))
            .filter(Column::PasswordHash.eq(old))
            .exec(self.0.pool());
        self.0.run(async { Ok(update.await?.rows_affected == 1) }).await
    }
}
