//! Creates the table of failed tries to log in.

use sea_orm_migration::prelude::*;

pub(super) struct CreateLoginFailures;

impl MigrationName for CreateLoginFailures {
    fn name(&self) -> &'static str {
        "m0010_login_failures"
    }
}

#[derive(DeriveIden)]
enum LoginFailuresIden {
    #[sea_orm(iden = "login_failures")]
    Table,
    Account,
    Source,
    Failures,
    FailedAt,
    PreviousAt,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for CreateLoginFailures {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut failures = Table::create();
        failures
            .table(LoginFailuresIden::Table)
            .if_not_exists()
            .col(ColumnDef::new(LoginFailuresIden::Account).text().not_null())
            .col(ColumnDef::new(LoginFailuresIden::Source).text().not_null())
            .col(ColumnDef::new(LoginFailuresIden::Failures).big_integer().not_null())
            .col(ColumnDef::new(LoginFailuresIden::FailedAt).big_integer().not_null())
            .col(ColumnDef::new(LoginFailuresIden::PreviousAt).big_integer().not_null())
            .primary_key(Index::create().col(LoginFailuresIden::Account).col(LoginFailuresIden::Source));
        manager.create_table(failures).await?;
        let mut by_time = Index::create();
        by_time.name("login_failures_by_time").table(LoginFailuresIden::Table).col(LoginFailuresIden::FailedAt);
        by_time.if_not_exists();
        manager.create_index(by_time).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(LoginFailuresIden::Table).take()).await
    }
}
