//! Gives this database a random name: another database may use the same Redis.

use sea_orm_migration::prelude::*;

use crate::store::random_secret;

pub(super) struct NameDatabase;

impl MigrationName for NameDatabase {
    fn name(&self) -> &'static str {
        "m0006_identity"
    }
}

#[derive(DeriveIden)]
enum DatabaseIden {
    #[sea_orm(iden = "database_identity")]
    Table,
    Name,
}

#[allow(elided_lifetimes_in_paths)] // as in the trait
#[async_trait::async_trait]
impl MigrationTrait for NameDatabase {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create();
        table.table(DatabaseIden::Table).if_not_exists();
        table.col(ColumnDef::new(DatabaseIden::Name).text().not_null().primary_key());
        manager.create_table(table).await?;
        let name = random_secret().map_err(|error| DbErr::Custom(error.to_string()))?;
        let mut insert = Query::insert();
        insert.into_table(DatabaseIden::Table).columns([DatabaseIden::Name]).values_panic([name.into()]);
        manager.execute(insert).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(DatabaseIden::Table).take()).await
    }
}
