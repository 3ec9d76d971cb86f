//! The table of the users.

use sea_orm_migration::prelude::*;

pub(super) struct CreateUsers;

impl MigrationName for CreateUsers {
    fn name(&self) -> &'static str {
        "m0001_create_users"
    }
}

#[derive(DeriveIden)]
enum Users {
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
impl MigrationTrait for CreateUsers {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table(Users::Table)
            .if_not_exists()
            .col(ColumnDef::new(Users::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(Users::Name).text().not_null())
            .col(ColumnDef::new(Users::NameFolded).text().not_null().unique_key())
            .col(ColumnDef::new(Users::Role).text().not_null())
            .col(ColumnDef::new(Users::PasswordHash).text().not_null())
            .col(ColumnDef::new(Users::CreatedAt).big_integer().not_null());
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Users::Table).take()).await
    }
}
