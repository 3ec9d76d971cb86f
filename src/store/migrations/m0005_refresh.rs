//! Creates the tables of the families of `jwt-refresh` and of their single-use tokens.

use sea_orm_migration::prelude::*;

pub(super) struct CreateRefreshTokens;

impl MigrationName for CreateRefreshTokens {
    fn name(&self) -> &'static str {
        "m0005_refresh"
    }
}

#[derive(DeriveIden)]
enum FamiliesIden {
    #[sea_orm(iden = "refresh_families")]
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
enum TokensIden {
    #[sea_orm(iden = "refresh_tokens")]
    Table,
    Hash,
    Login,
    UsedAt,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for CreateRefreshTokens {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut families = Table::create();
        families
            .table(FamiliesIden::Table)
            .if_not_exists()
            .col(ColumnDef::new(FamiliesIden::Login).text().not_null().primary_key())
            .col(ColumnDef::new(FamiliesIden::UserId).uuid().not_null())
            .col(ColumnDef::new(FamiliesIden::Secret).text().not_null())
            .col(ColumnDef::new(FamiliesIden::Device).text().not_null())
            .col(ColumnDef::new(FamiliesIden::Address).text().not_null())
            .col(ColumnDef::new(FamiliesIden::IssuedAt).big_integer().not_null())
            .col(ColumnDef::new(FamiliesIden::SeenAt).big_integer().not_null())
            .col(ColumnDef::new(FamiliesIden::ExpiresAt).big_integer().not_null())
            .col(ColumnDef::new(FamiliesIden::EndedAt).big_integer().null())
            .col(ColumnDef::new(FamiliesIden::ReusedAt).big_integer().null());
        manager.create_table(families).await?;
        let mut tokens = Table::create();
        tokens
            .table(TokensIden::Table)
            .if_not_exists()
            .col(ColumnDef::new(TokensIden::Hash).text().not_null().primary_key())
            .col(ColumnDef::new(TokensIden::Login).text().not_null())
            .col(ColumnDef::new(TokensIden::UsedAt).big_integer().null());
        manager.create_table(tokens).await?;
        let mut of_user = Index::create();
        of_user.name("refresh_families_of_user").table(FamiliesIden::Table).col(FamiliesIden::UserId);
        of_user.if_not_exists();
        manager.create_index(of_user).await?;
        let mut of_family = Index::create();
        of_family.name("refresh_tokens_of_family").table(TokensIden::Table).col(TokensIden::Login);
        of_family.if_not_exists();
        manager.create_index(of_family).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TokensIden::Table).take()).await?;
        manager.drop_table(Table::drop().table(FamiliesIden::Table).take()).await
    }
}
