//! Adds the users' generation, for `jwt-generation`.

use sea_orm_migration::prelude::*;

pub(super) struct AddGeneration;

impl MigrationName for AddGeneration {
    fn name(&self) -> &'static str {
        "m0003_generation"
    }
}

#[derive(DeriveIden)]
enum GenerationIden {
    #[sea_orm(iden = "users")]
    Table,
    Generation,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for AddGeneration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = ColumnDef::new(GenerationIden::Generation);
        column.big_integer().not_null().default(0);
        manager.alter_table(Table::alter().table(GenerationIden::Table).add_column(column).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table(GenerationIden::Table).drop_column(GenerationIden::Generation).take())
            .await
    }
}
