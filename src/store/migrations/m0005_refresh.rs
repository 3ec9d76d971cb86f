//! The families of `jwt-refresh` and their single-use tokens.

use sea_orm_migration::prelude::*;

pub(super) struct Refresh;

impl MigrationName for Refresh {
    fn name(&self) -> &'static str {
        "m0005_refresh"
    }
}

#[derive(DeriveIden)]
enum RefreshFamilies {
    Table,
    Login,
    UserId,
    Secret,
    Device,
    Address,
    IssuedAt,
    SeenAt,
    ExpiresAt,
    EndedAt,
    ReusedAt,
}

#[derive(DeriveIden)]
enum RefreshTokens {
    Table,
    Hash,
    Login,
    UsedAt,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for Refresh {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut families = Table::create();
        families
            .table(RefreshFamilies::Table)
            .if_not_exists()
            .col(ColumnDef::new(RefreshFamilies::Login).text().not_null().primary_key())
            .col(ColumnDef::new(RefreshFamilies::UserId).uuid().not_null())
            .col(ColumnDef::new(RefreshFamilies::Secret).text().not_null())
            .col(ColumnDef::new(RefreshFamilies::Device).text().not_null())
            .col(ColumnDef::new(RefreshFamilies::Address).text().not_null())
            .col(ColumnDef::new(RefreshFamilies::IssuedAt).big_integer().not_null())
            .col(ColumnDef::new(RefreshFamilies::SeenAt).big_integer().not_null())
            .col(ColumnDef::new(RefreshFamilies::ExpiresAt).big_integer().not_null())
            .col(ColumnDef::new(RefreshFamilies::EndedAt).big_integer().null())
            .col(ColumnDef::new(RefreshFamilies::ReusedAt).big_integer().null());
        manager.create_table(families).await?;
        let mut tokens = Table::create();
        tokens
            .table(RefreshTokens::Table)
            .if_not_exists()
            .col(ColumnDef::new(RefreshTokens::Hash).text().not_null().primary_key())
            .col(ColumnDef::new(RefreshTokens::Login).text().not_null())
            .col(ColumnDef::new(RefreshTokens::UsedAt).big_integer().null());
        manager.create_table(tokens).await?;
        let mut of_user = Index::create();
        of_user.name("refresh_families_of_user").table(RefreshFamilies::Table).col(RefreshFamilies::UserId);
        of_user.if_not_exists();
        manager.create_index(of_user).await?;
        let mut of_family = Index::create();
        of_family.name("refresh_tokens_of_family").table(RefreshTokens::Table).col(RefreshTokens::Login);
        of_family.if_not_exists();
        manager.create_index(of_family).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(RefreshTokens::Table).take()).await?;
        manager.drop_table(Table::drop().table(RefreshFamilies::Table).take()).await
    }
}
