//! A name of this database: others may use the same Redis.

use sea_orm_migration::prelude::*;

use crate::store::random_secret;

pub(super) struct Identity;

impl MigrationName for Identity {
    fn name(&self) -> &'static str {
        "m0006_identity"
    }
}

#[derive(DeriveIden)]
enum DatabaseIdentity {
    Table,
    Name,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for Identity {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table.table(DatabaseIdentity::Table).if_not_exists();
        table.col(ColumnDef::new(DatabaseIdentity::Name).text().not_null().primary_key());
        manager.create_table(table).await?;
        let name = random_secret().map_err(|error| DbErr::Custom(error.to_string()))?;
        let mut insert = Query::insert();
        insert.into_table(DatabaseIdentity::Table).columns([DatabaseIdentity::Name]).values_panic([name.into()]);
        manager.execute(insert).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(DatabaseIdentity::Table).take()).await
    }
}
