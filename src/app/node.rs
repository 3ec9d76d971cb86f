//! The strategies of one node as a server builds them, without the server: for the benches.

use std::sync::Arc;

use super::resources::Resources;
use super::{StartError, close, strategies};
use crate::auth::AuthStrategy;
use crate::clock::Clock;
use crate::config::Settings;
use crate::store::{PrivateRedis, Sql};

/// Strategies and the stores behind them.
pub struct Node {
    strategies: Vec<Arc<dyn AuthStrategy>>,
    sql: Sql,
    private_redis: Option<PrivateRedis>,
}

impl Node {
    /// Opens everything that the settings name, but no socket.
    pub async fn open(settings: &Settings, clock: Clock) -> Result<Self, StartError> {
        let (resources, private_redis) = Resources::open(settings, clock).await?;
        Ok(Self { strategies: strategies(&resources), sql: resources.sql, private_redis })
    }

    /// The strategies, in the order of the home page.
    pub fn strategies(&self) -> &[Arc<dyn AuthStrategy>] {
        &self.strategies
    }

    /// The strategy of this name, if there is one.
    pub fn strategy(&self, slug: &str) -> Option<&Arc<dyn AuthStrategy>> {
        self.strategies.iter().find(|strategy| strategy.describe().slug == slug)
    }

    /// The database that the strategies share.
    pub fn sql(&self) -> &Sql {
        &self.sql
    }

    /// Closes the stores.
    pub async fn close(self) {
        drop(self.strategies);
        close([self.sql], self.private_redis).await;
    }
}
