//! Creates the table of the records of `session-sql`.

use sea_orm_migration::prelude::*;

pub(super) struct CreateSessions;

impl MigrationName for CreateSessions {
    fn name(&self) -> &'static str {
        "m0002_sessions"
    }
}

#[derive(DeriveIden)]
enum SessionsIden {
    #[sea_orm(iden = "sessions")]
    Table,
    Login,
    UserId,
    Record,
    ExpiresAt,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for CreateSessions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table(SessionsIden::Table)
            .if_not_exists()
            .col(ColumnDef::new(SessionsIden::Login).text().not_null().primary_key())
            .col(ColumnDef::new(SessionsIden::UserId).uuid().not_null())
            .col(ColumnDef::new(SessionsIden::Record).text().not_null())
            .col(ColumnDef::new(SessionsIden::ExpiresAt).big_integer().not_null());
        manager.create_table(table).await?;
        for (name, column) in
            [("sessions_of_user", SessionsIden::UserId), ("sessions_by_expiry", SessionsIden::ExpiresAt)]
        {
            let mut index = Index::create();
            index.name(name).table(SessionsIden::Table).col(column).if_not_exists();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(SessionsIden::Table).take()).await
    }
}
