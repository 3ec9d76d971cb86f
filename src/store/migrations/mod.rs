//! The changes of the schema, oldest first. The name of each is stored in the database, so it never changes.

mod m0001_users;
mod m0002_sessions;
mod m0003_generation;
mod m0004_revocations;
mod m0005_refresh;
mod m0006_identity;
mod m0007_named_tokens;
mod m0008_ended_users;
mod m0009_clients;
mod m0010_login_failures;

use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// Runs the migrations that a database has not had yet. A released migration is never changed.
pub(super) struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_users::CreateUsers),
            Box::new(m0002_sessions::CreateSessions),
            Box::new(m0003_generation::AddGeneration),
            Box::new(m0004_revocations::CreateRevocations),
            Box::new(m0005_refresh::CreateRefreshTokens),
            Box::new(m0006_identity::NameDatabase),
            Box::new(m0007_named_tokens::RevokeUnnamedTokens),
            Box::new(m0008_ended_users::EndUsers),
            Box::new(m0009_clients::AddClients),
            Box::new(m0010_login_failures::CreateLoginFailures),
        ]
    }
}
