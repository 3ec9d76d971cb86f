//! Refresh tokens name their family now. A used one that does not could not be recognised without its row: so the
//! families of such tokens end, and whoever was logged in under `jwt-refresh` logs in again.

use sea_orm_migration::prelude::*;

pub(super) struct NamedTokens;

impl MigrationName for NamedTokens {
    fn name(&self) -> &'static str {
        "m0007_named_tokens"
    }
}

#[derive(DeriveIden)]
enum RefreshFamilies {
    Table,
    IssuedAt,
    EndedAt,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for NamedTokens {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut end = Query::update();
        end.table(RefreshFamilies::Table)
            .value(RefreshFamilies::EndedAt, Expr::col(RefreshFamilies::IssuedAt))
            .and_where(Expr::col(RefreshFamilies::EndedAt).is_null());
        manager.execute(end).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
