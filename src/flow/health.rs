//! Whether each store answers, and so which strategies are ready.

use crate::auth::Backend;
use crate::store::{Redis, Sql, StoreError};

/// Whether each store answers.
pub struct StoreHealth {
    sql: Result<(), StoreError>,
    redis: Result<(), StoreError>,
    /// Settings of Redis that break what a strategy promises.
    pub warnings: Vec<String>,
}

impl StoreHealth {
    /// Checks both stores at the same time.
    pub async fn check(sql: &Sql, redis: Option<&Redis>) -> Self {
        let redis = async {
            let redis = redis.ok_or(StoreError::Absent { store: "Redis" })?;
            redis.ping().await?;
            Ok(redis.warnings().await)
        };
        let (sql, redis) = tokio::join!(sql.ping(), redis);
        let warnings = redis.as_ref().ok().cloned().unwrap_or_default();
        Self { sql, redis: redis.map(drop), warnings }
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
