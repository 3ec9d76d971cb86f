//! Adds to each refresh token which client used it, and which of its successors counts, for `jwt-refresh`.

use sea_orm_migration::prelude::*;

pub(super) struct AddClients;

impl MigrationName for AddClients {
    fn name(&self) -> &'static str {
        "m0009_clients"
    }
}

#[derive(DeriveIden)]
enum UsedTokenIden {
    #[sea_orm(iden = "refresh_tokens")]
    Table,
    UsedBy,
    Successor,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for AddClients {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut successor = ColumnDef::new(UsedTokenIden::Successor);
        successor.integer().not_null().default(0);
        // SQLite adds one column at a time.
        for column in [ColumnDef::new(UsedTokenIden::UsedBy).text().null(), &mut successor] {
            manager.alter_table(Table::alter().table(UsedTokenIden::Table).add_column(column).take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [UsedTokenIden::UsedBy, UsedTokenIden::Successor] {
            manager.alter_table(Table::alter().table(UsedTokenIden::Table).drop_column(column).take()).await?;
        }
        Ok(())
    }
}
