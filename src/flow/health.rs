//! Whether each store answers, and so which strategies are ready.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::auth::Backend;
use crate::store::{Redis, Sql, StoreError};

/// How long the result of a check is used again: a flood of requests is no flood of checks.
const FRESH: Duration = Duration::from_secs(1);

/// Checks whether the stores answer, at most once a second.
pub struct HealthCheck {
    sql: Sql,
    redis: Option<Redis>,
    /// The result of the last check, and when that began. Locked during a check, so that there is only one.
    last: Mutex<Option<(Instant, Arc<StoreHealth>)>>,
}

/// Whether each store answers.
pub struct StoreHealth {
    sql_name: &'static str,
    sql: Result<(), StoreError>,
    redis: Result<(), StoreError>,
    /// Settings of Redis that break what a strategy promises.
    pub warnings: Vec<String>,
}

impl StoreHealth {
    /// Checks both stores at the same time.
    pub async fn check(sql: &Sql, redis: Option<&Redis>) -> Self {
        let redis = async {
            let redis = redis.ok_or(StoreError::Absent { store: Redis::NAME })?;
            redis.ping().await?;
            Ok(redis.warnings().await)
        };
        let sql_name = sql.name();
        let (sql, redis) = tokio::join!(sql.ping(), redis);
        let warnings = redis.as_ref().ok().cloned().unwrap_or_default();
        Self { sql_name, sql, redis: redis.map(drop), warnings }
    }

    /// Whether the store of this name answers; `None` if it is not one of the two.
    pub(super) fn answers(&self, store: &str) -> Option<bool> {
        let of = |name, health: &Result<(), _>| (store == name).then(|| health.is_ok());
        of(self.sql_name, &self.sql).or_else(|| of(Redis::NAME, &self.redis))
    }

    /// Whether a strategy with this backend is ready. Every strategy needs the users' database to open a login.
    pub fn of(&self, backend: Backend) -> Result<(), &StoreError> {
        self.sql.as_ref()?;
        match backend {
            Backend::None | Backend::Sql => Ok(()),
            Backend::Redis => self.redis.as_ref().copied(),
        }
    }
}

impl HealthCheck {
    pub fn new(sql: Sql, redis: Option<Redis>) -> Self {
        Self { sql, redis, last: Mutex::default() }
    }

    /// Whether each store answered within the last second.
    pub async fn result(&self) -> Arc<StoreHealth> {
        let mut last = self.last.lock().await;
        if let Some((begun, health)) = &*last
            && begun.elapsed() < FRESH
        {
            return health.clone();
        }
        let begun = Instant::now();
        let health = Arc::new(StoreHealth::check(&self.sql, self.redis.as_ref()).await);
        *last = Some((begun, health.clone()));
        health
    }
}
