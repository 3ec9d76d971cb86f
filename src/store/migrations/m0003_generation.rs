//! The users' generation, for `jwt-generation`.

use sea_orm_migration::prelude::*;

pub(super) struct Generation;

impl MigrationName for Generation {
    fn name(&self) -> &'static str {
        "m0003_generation"
    }
}

#[derive(DeriveIden)]
enum User {
    #[sea_orm(iden = "users")]
    Table,
    Generation,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for Generation {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new(User::Generation);
        column.big_integer().not_null().default(0);
        manager.alter_table(Table::alter().table(User::Table).add_column(column).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(User::Table).drop_column(User::Generation).take()).await
    }
}
