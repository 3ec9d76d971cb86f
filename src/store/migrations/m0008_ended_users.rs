//! Lets a user be disabled, and notes whose logins every node must end.

use sea_orm_migration::prelude::*;

pub(super) struct EndUsers;

impl MigrationName for EndUsers {
    fn name(&self) -> &'static str {
        "m0008_ended_users"
    }
}

#[derive(DeriveIden)]
enum DisabledIden {
    #[sea_orm(iden = "users")]
    Table,
    DisabledAt,
}

#[derive(DeriveIden)]
enum EndedUsersIden {
    #[sea_orm(iden = "ended_users")]
    Table,
    Id,
    UserId,
    Cause,
    EndedAt,
    CarriedOutAt,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for EndUsers {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new(DisabledIden::DisabledAt);
        column.big_integer().null();
        manager.alter_table(Table::alter().table(DisabledIden::Table).add_column(column).take()).await?;
        let mut table = Table::create();
        table
            .table(EndedUsersIden::Table)
            .if_not_exists()
            .col(ColumnDef::new(EndedUsersIden::Id).uuid().not_null().primary_key())
            .col(ColumnDef::new(EndedUsersIden::UserId).uuid().not_null())
            .col(ColumnDef::new(EndedUsersIden::Cause).text().not_null())
            .col(ColumnDef::new(EndedUsersIden::EndedAt).big_integer().not_null())
            .col(ColumnDef::new(EndedUsersIden::CarriedOutAt).big_integer().null());
        manager.create_table(table).await?;
        for (name, column) in [
            ("ended_users_by_time", EndedUsersIden::EndedAt),
            ("ended_users_by_carrying_out", EndedUsersIden::CarriedOutAt),
        ] {
            let mut index = Index::create();
            index.name(name).table(EndedUsersIden::Table).col(column).if_not_exists();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(EndedUsersIden::Table).take()).await?;
        manager
            .alter_table(Table::alter().table(DisabledIden::Table).drop_column(DisabledIden::DisabledAt).take())
            .await
    }
}
