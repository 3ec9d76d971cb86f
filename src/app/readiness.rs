//! The strategies that a server would have, and whether each could be used: for the command line.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::resources::Resources;
use super::{App, STRATEGIES, StartError, close, strategies};
use crate::auth::{AuthStrategy, Description};
use crate::clock::Clock;
use crate::config::Settings;
use crate::flow::StoreHealth;

/// A strategy, and whether the stores that it needs answer.
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
        let scratch = tempfile::tempdir().map_err(StartError::Scratch)?;
        let settings = without_new_files(settings, scratch.path());
        let (resources, private_redis) = Resources::open(&settings, Clock::system(), STRATEGIES).await?;
        let health = StoreHealth::check(&resources.sql, resources.redis.as_ref()).await;
        let row = |strategy: &Arc<dyn AuthStrategy>| {
            let description = strategy.describe().clone();
            let why_not = health.of(description.backend).err().map(ToString::to_string);
            StrategyReadiness { description, ready: why_not.is_none(), why_not }
        };
        let rows = strategies(&resources).iter().map(row).collect();
        close([resources.sql], private_redis).await;
        Ok(rows)
    }
}

/// Moves the database and the key file that a start would create to `folder`: a list leaves nothing behind.
pub(super) fn without_new_files(settings: &Settings, folder: &Path) -> Settings {
    let mut settings = settings.clone();
    if settings.jwt_secret.is_none()
        && let [key] = &settings.key_files()[..]
    {
        // Read before the database may move: its folder is the default one of the key.
        settings.jwt_key_file = vec![if is_creatable(key) { folder.join("key") } else { key.clone() }];
    }
    let scratch = format!("sqlite://{}?mode=rwc", folder.join("database").display());
    if let (true, Ok(url)) = (settings.database_url.creates_file(), scratch.parse())
        && settings.database_url.file().is_some_and(|file| is_creatable(&file))
    {
        settings.database_url = url;
    }
    settings
}

/// Whether the file is missing and its folder is not.
fn is_creatable(file: &Path) -> bool {
    let folder = file.parent().unwrap_or(file);
    !file.exists() && (folder.as_os_str().is_empty() || folder.is_dir())
}
