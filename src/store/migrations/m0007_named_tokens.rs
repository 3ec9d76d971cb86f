//! Revokes every family whose tokens do not contain its name: the server could not recognise a reused one. Their users log in again under `jwt-refresh`.

use sea_orm_migration::prelude::*;

pub(super) struct RevokeUnnamedTokens;

impl MigrationName for RevokeUnnamedTokens {
    fn name(&self) -> &'static str {
        "m0007_named_tokens"
    }
}

#[derive(DeriveIden)]
enum EndedFamiliesIden {
    #[sea_orm(iden = "refresh_families")]
    Table,
    IssuedAt,
    EndedAt,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for RevokeUnnamedTokens {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut revoke = Query::update();
        revoke
            .table(EndedFamiliesIden::Table)
            .value(EndedFamiliesIden::EndedAt, Expr::col(EndedFamiliesIden::IssuedAt))
            .and_where(Expr::col(EndedFamiliesIden::EndedAt).is_null());
        manager.execute(revoke).await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
