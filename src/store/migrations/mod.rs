//! The tables, in the order in which they came.

mod m0001_users;
mod m0002_sessions;
mod m0003_generation;
mod m0004_revocations;
mod m0005_refresh;
mod m0006_identity;
mod m0007_named_tokens;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// All of them. One that was released is never changed.
pub(super) struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_users::Users),
            Box::new(m0002_sessions::Sessions),
            Box::new(m0003_generation::Generation),
            Box::new(m0004_revocations::Revocations),
            Box::new(m0005_refresh::Refresh),
            Box::new(m0006_identity::Identity),
            Box::new(m0007_named_tokens::NamedTokens),
        ]
    }
}
