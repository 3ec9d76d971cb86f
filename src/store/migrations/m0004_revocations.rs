//! Creates the tables of the revocations, for `jwt-blocklist`, `jwt-pushed`, `session` and `session-tracked`.

use sea_orm_migration::prelude::*;

pub(super) struct CreateRevocations;

impl MigrationName for CreateRevocations {
    fn name(&self) -> &'static str {
        "m0004_revocations"
    }
}

#[derive(DeriveIden)]
enum RevokedLoginsIden {
    #[sea_orm(iden = "revoked_logins")]
    Table,
    Scope,
    Login,
    UserId,
    ExpiresAt,
}

/// The generations, in a table with an older name.
#[derive(DeriveIden)]
enum GenerationsIden {
    #[sea_orm(iden = "cut_offs")]
    Table,
    Scope,
    UserId,
    Generation,
    RaisedAt,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for CreateRevocations {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut logins = Table::create();
        logins
            .table(RevokedLoginsIden::Table)
            .if_not_exists()
            .col(ColumnDef::new(RevokedLoginsIden::Scope).text().not_null())
            .col(ColumnDef::new(RevokedLoginsIden::Login).text().not_null())
            .col(ColumnDef::new(RevokedLoginsIden::UserId).uuid().not_null())
            .col(ColumnDef::new(RevokedLoginsIden::ExpiresAt).big_integer().not_null())
            .primary_key(
                Index::create()
                    .col(RevokedLoginsIden::Scope)
                    .col(RevokedLoginsIden::UserId)
                    .col(RevokedLoginsIden::Login),
            );
        manager.create_table(logins).await?;
        let mut by_expiry = Index::create();
        by_expiry.name("revoked_logins_by_expiry").table(RevokedLoginsIden::Table).if_not_exists();
        by_expiry.col(RevokedLoginsIden::ExpiresAt);
        manager.create_index(by_expiry).await?;
        let mut generations = Table::create();
        generations
            .table(GenerationsIden::Table)
            .if_not_exists()
            .col(ColumnDef::new(GenerationsIden::Scope).text().not_null())
            .col(ColumnDef::new(GenerationsIden::UserId).uuid().not_null())
            .col(ColumnDef::new(GenerationsIden::Generation).big_integer().not_null())
            .col(ColumnDef::new(GenerationsIden::RaisedAt).big_integer().not_null())
            .primary_key(Index::create().col(GenerationsIden::Scope).col(GenerationsIden::UserId));
        manager.create_table(generations).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(RevokedLoginsIden::Table).take()).await?;
        manager.drop_table(Table::drop().table(GenerationsIden::Table).take()).await
    }
}
