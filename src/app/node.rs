//! One node as a server composes it, without the server: what the benches and the contract suite work on.

use std::sync::Arc;

use super::resources::{BuiltStrategy, Resources, StrategyEntry};
use super::{STRATEGIES, StartError, close};
use crate::auth::{AuthStrategy, SessionLimits};
use crate::clock::Clock;
use crate::config::Settings;
use crate::store::{PrivateRedis, Sql};

/// Strategies and the stores behind them.
pub struct Node {
    resources: Resources,
    built: Vec<BuiltStrategy>,
    private_redis: Option<PrivateRedis>,
}

impl Node {
    /// Opens everything that the settings name, but no socket.
    pub async fn open(settings: &Settings, clock: Clock) -> Result<Self, StartError> {
        Self::open_with(settings, clock, STRATEGIES).await
    }

    /// The same with another list of strategies.
    pub async fn open_with(
        settings: &Settings,
        clock: Clock,
        list: &'static [StrategyEntry],
    ) -> Result<Self, StartError> {
        let (resources, private_redis) = Resources::open(settings, clock, list).await?;
        Ok(Self { built: resources.build(), resources, private_redis })
    }

    /// The strategies, in the order of the list.
    pub fn strategies(&self) -> impl Iterator<Item = &Arc<dyn AuthStrategy>> {
        self.built.iter().map(|built| &built.strategy)
    }

    /// The strategies with their records, in the order of the list.
    pub fn built(&self) -> &[BuiltStrategy] {
        &self.built
    }

    /// Builds the strategies again, on the same stores and with the same key, but with the lives and limits of
    /// `settings`.
    pub fn rebuild(&self, settings: &Settings) -> Vec<BuiltStrategy> {
        let limits = SessionLimits { idle: settings.session_idle, absolute: settings.session_absolute };
        let (life, short_life, login_life) = (settings.access_ttl, settings.short_ttl, settings.refresh_ttl);
        Resources { life, short_life, login_life, limits, ..self.resources.clone() }.build()
    }

    /// The strategy with this slug, if there is one.
    pub fn strategy(&self, slug: &str) -> Option<&Arc<dyn AuthStrategy>> {
        self.strategies().find(|strategy| strategy.describe().slug == slug)
    }

    /// The database that the strategies share.
    pub fn sql(&self) -> &Sql {
        &self.resources.sql
    }

    /// Closes the stores.
    pub async fn close(self) {
        drop(self.built);
        close([self.resources.sql], self.private_redis).await;
    }
}
