//! The records of `session-sql`.

use sea_orm_migration::prelude::*;

pub(super) struct Sessions;

impl MigrationName for Sessions {
    fn name(&self) -> &'static str {
        "m0002_sessions"
    }
}

#[derive(DeriveIden)]
enum Session {
    #[sea_orm(iden = "sessions")]
    Table,
    Login,
    UserId,
    Record,
    ExpiresAt,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for Sessions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table(Session::Table)
            .if_not_exists()
            .col(ColumnDef::new(Session::Login).text().not_null().primary_key())
            .col(ColumnDef::new(Session::UserId).uuid().not_null())
            .col(ColumnDef::new(Session::Record).text().not_null())
            .col(ColumnDef::new(Session::ExpiresAt).big_integer().not_null());
        manager.create_table(table).await?;
        for (name, column) in [("sessions_of_user", Session::UserId), ("sessions_by_expiry", Session::ExpiresAt)] {
            let mut index = Index::create();
            index.name(name).table(Session::Table).col(column).if_not_exists();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Session::Table).take()).await
    }
}
