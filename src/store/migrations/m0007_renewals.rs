//! How often a family was renewed: so many steps lead from its first token to the newest.

use sea_orm_migration::prelude::*;

pub(super) struct Renewals;

impl MigrationName for Renewals {
    fn name(&self) -> &'static str {
        "m0007_renewals"
    }
}

#[derive(DeriveIden)]
enum RefreshFamilies {
    Table,
    Renewals,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for Renewals {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new(RefreshFamilies::Renewals);
        column.big_integer().not_null().default(0);
        manager.alter_table(Table::alter().table(RefreshFamilies::Table).add_column(column).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = Table::alter();
        manager.alter_table(column.table(RefreshFamilies::Table).drop_column(RefreshFamilies::Renewals).take()).await
    }
}
