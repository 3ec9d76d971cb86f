//! Which strategies there would be, without a server: what the command line lists.

use serde::Serialize;

use super::resources::Resources;
use super::{App, STRATEGIES, StartError, close, strategies};
use crate::auth::{Backend, Description};
use crate::clock::Clock;
use crate::config::Settings;

/// A strategy, and whether it could be used.
#[derive(Debug, Serialize)]
pub struct StrategyReadiness {
    /// What it is and what it promises.
    #[serde(flatten)]
    pub description: Description,
    /// Whether its store answers.
    pub ready: bool,
    /// Why not.
    pub why_not: Option<String>,
}

impl App {
    /// What the strategies would be with these settings, and which could not be used.
    pub async fn readiness(settings: &Settings) -> Result<Vec<StrategyReadiness>, StartError> {
        let (parts, private_redis) = Resources::open(settings, Clock::system(), STRATEGIES).await?;
        let mut rows = Vec::new();
        for strategy in strategies(&parts) {
            let description = strategy.describe().clone();
            let answer = match (description.backend, &parts.redis) {
                (Backend::Redis, Some(redis)) => redis.ping().await.map_err(|error| error.to_string()),
                (Backend::Redis, None) => Err("there is no Redis".to_owned()),
                (Backend::None | Backend::Sql, _) => Ok(()),
            };
            rows.push(StrategyReadiness { description, ready: answer.is_ok(), why_not: answer.err() });
        }
        close([parts.sql], private_redis).await;
        Ok(rows)
    }
}
