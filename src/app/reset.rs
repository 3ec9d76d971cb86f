//! What the commands on users need of the composition: the promises of every mount, and the way back to the demo users.

use std::net::SocketAddr;

use super::demo::{is_public, seed_or_lock};
use super::readiness::without_new_files;
use super::resources::Resources;
use super::{App, STRATEGIES, StartError, close, strategies};
use crate::account::Hasher;
use crate::auth::Description;
use crate::clock::Clock;
use crate::config::{RedisChoice, Settings};
use crate::flow::Demo;
use crate::store::Sql;
use crate::store::ended_users::EndedUsers;
use crate::store::login_failures::LoginFailures;
use crate::store::users::Users;

impl App {
    /// Describes the strategies as these settings make them. Starts no Redis, and leaves no file behind.
    pub async fn descriptions(settings: &Settings) -> Result<Vec<Description>, StartError> {
        let scratch = tempfile::tempdir().map_err(StartError::Scratch)?;
        let settings = without_new_files(settings, scratch.path());
        let settings = Settings { redis_url: Some(RedisChoice::None), ..settings };
        let (resources, private_redis) = Resources::open(&settings, Clock::system(), STRATEGIES).await?;
        let descriptions = strategies(&resources).iter().map(|strategy| strategy.describe().clone()).collect();
        close([resources.sql], private_redis).await;
        Ok(descriptions)
    }

    /// Deletes every user. Adds the demo users if the settings want them, or if they had the public password before: this
    /// command cannot see whether others reach the server. Returns how many it deleted.
    /// The demo users get new ids: no old credential is theirs. Every node ends the logins of those who were deleted.
    pub async fn reset(settings: &Settings) -> Result<(u64, Option<Demo>), StartError> {
        let failed = |error| StartError::Database(settings.database_url.to_string(), error);
        let (sql, clock) = (Sql::open(&settings.database_url).await.map_err(failed)?, Clock::system());
        let users = Users::new(sql.clone());
        let (ended, hasher) = (EndedUsers::new(sql.clone(), clock.clone()), Hasher::new(1, settings.password_min)?);
        let seeds = settings.demo_wanted().is_some() || is_public(&users, &hasher).await?;
        let deleted = ended.delete_everybody().await.map_err(failed)?;
        LoginFailures::new(sql.clone(), clock.clone()).clear_all().await.map_err(failed)?;
        let listen = |error| StartError::Listen(settings.listen.clone(), error);
        let mut addresses = tokio::net::lookup_host(&settings.listen).await.map_err(listen)?;
        let address = addresses.next().unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
        let demo = if seeds { seed_or_lock(settings, address, (&users, &ended), &hasher, &clock).await? } else { None };
        sql.close().await;
        Ok((deleted, demo))
    }
}
