//! Creates the table of the users.

use sea_orm_migration::prelude::*;

pub(super) struct CreateUsers;

impl MigrationName for CreateUsers {
    fn name(&self) -> &'static str {
        "m0001_users"
    }
}

#[derive(DeriveIden)]
enum UsersIden {
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
impl MigrationTrait for CreateUsers {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table
            .table(UsersIden::Table)
            .if_not_exists()
            .col(ColumnDef::new(UsersIden::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(UsersIden::Name).text().not_null())
            .col(ColumnDef::new(UsersIden::NameFolded).text().not_null().unique_key())
            .col(ColumnDef::new(UsersIden::Role).text().not_null())
            .col(ColumnDef::new(UsersIden::PasswordHash).text().not_null())
            .col(ColumnDef::new(UsersIden::CreatedAt).big_integer().not_null());
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(UsersIden::Table).take()).await
    }
}
