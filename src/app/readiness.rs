//! The strategies that a server would have, and whether each could be used: for the command line.

use serde::Serialize;

use super::resources::Resources;
use super::{App, StartError, close, strategies};
use crate::auth::{Backend, Description};
use crate::clock::Clock;
use crate::config::Settings;

/// A strategy, and whether its store answers.
#[derive(Debug, Serialize)]
pub struct StrategyReadiness {
    #[serde(flatten)]
    pub description: Description,
    pub ready: bool,
    pub why_not: Option<String>,
}

impl App {
    /// Lists the strategies as these settings make them, and checks the store of each.
    pub async fn readiness(settings: &Settings) -> Result<Vec<StrategyReadiness>, StartError> {
        let (resources, private_redis) = Resources::open(settings, Clock::system()).await?;
        let mut rows = Vec::new();
        for strategy in strategies(&resources) {
            let description = strategy.describe().clone();
            let answer = match (description.backend, &resources.redis) {
                (Backend::Redis, Some(redis)) => redis.ping().await.map_err(|error| error.to_string()),
                (Backend::Redis, None) => Err("there is no Redis".to_owned()),
                (Backend::None | Backend::Sql, _) => Ok(()),
            };
            rows.push(StrategyReadiness { description, ready: answer.is_ok(), why_not: answer.err() });
        }
        close([resources.sql], private_redis).await;
        Ok(rows)
    }
}
