//! Sessions in the SQL database: no further store to run, and one statement for each check.

use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, Condition, QueryFilter, SqlErr};
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;

use super::{Footprint, LoginRecord, LoginStore, StepNames, StoreError, backend, not_saved};
use crate::clock::Clock;
use crate::identity::{LoginId, UserId};
use crate::store::Sql;
use crate::store::sweeper::Sweeper;
use crate::trace::StepKind;

const STEP_NAMES: StepNames = StepNames {
    name: "The SQL database",
    held_in: "the SQL database",
    kind: StepKind::Database,
    recall: None,
    load: "SQL: SELECT the record by the hash of the id",
    create: "SQL: INSERT the record, only if the id is new",
    touch: "SQL: UPDATE the record with a new idle limit, only if it is still there",
    revoke: "SQL: DELETE the record, only if it is the user's",
    revoke_all: "SQL: DELETE every record of the user",
    list: "SQL: SELECT the user's records",
};

/// The query of every check.
const FIND: &str = "SELECT record FROM sessions WHERE login = $1";

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub struct Model {
        /// The hash of the id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub login: String,
        pub user_id: Uuid,
        /// A [`super::LoginRecord`] as JSON.
        pub record: String,
        /// Milliseconds since the Unix epoch.
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity};

/// A session store on the SQL database. A background task deletes expired rows.
#[derive(Debug)]
pub struct SqlSessions {
    table: Arc<SessionTable>,
    _sweeper: Sweeper,
}

#[derive(Debug)]
struct SessionTable {
    sql: Sql,
    clock: Clock,
}

impl SqlSessions {
    /// Starts the background task. Needs a tokio runtime.
    pub fn new(sql: Sql, clock: Clock) -> Self {
        let table = Arc::new(SessionTable { sql, clock });
        let swept = table.clone();
        let sweeper = Sweeper::start("sessions", move || {
            let swept = swept.clone();
            async move { swept.delete_expired().await }
        });
        Self { table, _sweeper: sweeper }
    }
}

impl SessionTable {
    async fn delete_expired(&self) -> Result<(), StoreError> {
        let now = self.clock.now().as_millis();
        self.sql.run(Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(self.sql.pool())).await.map(drop)
    }

    /// False if the id is taken.
    async fn insert(&self, login: LoginId, record: &LoginRecord) -> Result<bool, StoreError> {
        let row = ActiveModel {
            login: Set(login.to_string()),
            user_id: Set(record.user.0),
            record: Set(self.encode(record)?),
            expires_at: Set(record.expires.as_millis()),
        };
        let insert = Entity::insert(row).exec_without_returning(self.sql.pool());
        let inserted = async {
            match insert.await {
                Ok(_) => Ok(true),
                Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(false),
                Err(error) => Err(error),
            }
        };
        self.sql.run(inserted).await
    }

    /// False if there is no unexpired row.
    async fn update(&self, login: LoginId, record: &LoginRecord) -> Result<bool, StoreError> {
        let update = Entity::update_many()
            .col_expr(Column::Record, Expr::value(self.encode(record)?))
            .col_expr(Column::ExpiresAt, Expr::value(record.expires.as_millis()))
            .filter(Column::Login.eq(login.as_str()))
            .filter(Column::UserId.eq(record.user.0))
            .filter(Column::ExpiresAt.gt(self.clock.now().as_millis()))
            .exec(self.sql.pool());
        self.sql.run(async { Ok(update.await?.rows_affected == 1) }).await
    }

    fn encode(&self, record: &LoginRecord) -> Result<String, StoreError> {
        record.encode().map_err(|error| StoreError::unavailable(self.sql.name(), &error))
    }
}

#[async_trait]
impl SessionStore for SqlSessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        let login = LoginRecord::from_record(record)?;
        // 128 random bits are never drawn twice; should they be, the second login gets another id.
        for _ in 0..2 {
            let name = LoginId::of_session(&record.id);
            if self.table.insert(name, &login).await.map_err(|error| backend(&error))? {
                return Ok(());
            }
            record.id = Id::default();
        }
        Err(not_saved())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let login = LoginRecord::from_record(record)?;
        match self.touch(&record.id, &login).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(not_saved()),
            Err(error) => Err(backend(&error)),
        }
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.find(&LoginId::of_session(id)).await?.map(|found| found.to_record(id)).transpose()
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let sql = &self.table.sql;
        let delete = Entity::delete_by_id(LoginId::of_session(id).to_string()).exec(sql.pool());
        sql.run(delete).await.map(drop).map_err(|error| backend(&error))
    }
}

#[async_trait]
impl LoginStore for SqlSessions {
    fn step_names(&self) -> &'static StepNames {
        &STEP_NAMES
    }

    async fn find(&self, login: &LoginId) -> session_store::Result<Option<Arc<LoginRecord>>> {
        let text: Option<String> =
            self.table.sql.find(FIND, login.as_str().into()).await.map_err(|error| backend(&error))?;
        let Some(text) = text else { return Ok(None) };
        let record = LoginRecord::decode(text.as_bytes())?;
        Ok((record.expires > self.table.clock.now()).then(|| Arc::new(record)))
    }

    async fn touch(&self, id: &Id, record: &LoginRecord) -> Result<bool, StoreError> {
        self.table.update(LoginId::of_session(id), record).await
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<(LoginId, LoginRecord)>, StoreError> {
        let sql = &self.table.sql;
        let unexpired = Column::ExpiresAt.gt(self.table.clock.now().as_millis());
        let rows = sql.run(Entity::find().filter(Column::UserId.eq(user.0)).filter(unexpired).all(sql.pool())).await?;
        let logins = rows.into_iter().filter_map(|row| {
            let record = LoginRecord::decode(row.record.as_bytes()).ok()?;
            Some((LoginId::parse(&row.login)?, record))
        });
        Ok(logins.collect())
    }

    async fn revoke(&self, user: UserId, login: &LoginId) -> Result<bool, StoreError> {
        let sql = &self.table.sql;
        let delete = Entity::delete_by_id(login.to_string()).filter(Column::UserId.eq(user.0)).exec(sql.pool());
        sql.run(async { Ok(delete.await?.rows_affected == 1) }).await
    }

    async fn revoke_all_but(&self, user: UserId, kept: Option<&LoginId>) -> Result<(), StoreError> {
        let sql = &self.table.sql;
        let others = Condition::all().add_option(kept.map(|kept| Column::Login.ne(kept.as_str())));
        let delete = Entity::delete_many().filter(Column::UserId.eq(user.0)).filter(others);
        sql.run(delete.exec(sql.pool())).await.map(drop)
    }

    async fn footprint(&self, _user: UserId, _login: &LoginId) -> Result<Footprint, StoreError> {
        Ok(Footprint { rows: true, how: "the row and its index entries, in the SQL database", ..Footprint::default() })
    }
}
