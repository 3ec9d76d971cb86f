//! The table of the users.

use sea_orm_migration::prelude::*;

pub(super) struct Users;

impl MigrationName for Users {
    fn name(&self) -> &'static str {
        "m0001_users"
    }
}

#[derive(DeriveIden)]
enum User {
    #[sea_orm(iden = "users")]
    Table,
    Id,
    Name,
    NameFolded,
    Role,
    PasswordHash,
    CreatedAt,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for Users {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table(User::Table)
            .if_not_exists()
            .col(ColumnDef::new(User::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(User::Name).text().not_null())
            .col(ColumnDef::new(User::NameFolded).text().not_null().unique_key())
            .col(ColumnDef::new(User::Role).text().not_null())
            .col(ColumnDef::new(User::PasswordHash).text().not_null())
            .col(ColumnDef::new(User::CreatedAt).big_integer().not_null());
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(User::Table).take()).await
    }
}
