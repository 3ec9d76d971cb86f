//! What was revoked, for the strategies whose tokens are good until somebody says otherwise.

use sea_orm_migration::prelude::*;

pub(super) struct Revocations;

impl MigrationName for Revocations {
    fn name(&self) -> &'static str {
        "m0004_revocations"
    }
}

#[derive(DeriveIden)]
enum RevokedLogins {
    Table,
    Scope,
    Login,
    UserId,
    ExpiresAt,
}

#[derive(DeriveIden)]
enum CutOffs {
    Table,
    Scope,
    UserId,
    Generation,
    RaisedAt,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for Revocations {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut logins = Table::create();
        logins
            .table(RevokedLogins::Table)
            .if_not_exists()
            .col(ColumnDef::new(RevokedLogins::Scope).text().not_null())
            .col(ColumnDef::new(RevokedLogins::Login).text().not_null())
            .col(ColumnDef::new(RevokedLogins::UserId).uuid().not_null())
            .col(ColumnDef::new(RevokedLogins::ExpiresAt).big_integer().not_null())
            .primary_key(
                Index::create().col(RevokedLogins::Scope).col(RevokedLogins::UserId).col(RevokedLogins::Login),
            );
        manager.create_table(logins).await?;
        let mut by_expiry = Index::create();
        by_expiry.name("revoked_logins_by_expiry").table(RevokedLogins::Table).if_not_exists();
        by_expiry.col(RevokedLogins::ExpiresAt);
        manager.create_index(by_expiry).await?;
        let mut cut_offs = Table::create();
        cut_offs
            .table(CutOffs::Table)
            .if_not_exists()
            .col(ColumnDef::new(CutOffs::Scope).text().not_null())
            .col(ColumnDef::new(CutOffs::UserId).uuid().not_null())
            .col(ColumnDef::new(CutOffs::Generation).big_integer().not_null())
            .col(ColumnDef::new(CutOffs::RaisedAt).big_integer().not_null())
            .primary_key(Index::create().col(CutOffs::Scope).col(CutOffs::UserId));
        manager.create_table(cut_offs).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(RevokedLogins::Table).take()).await?;
        manager.drop_table(Table::drop().table(CutOffs::Table).take()).await
    }
}
