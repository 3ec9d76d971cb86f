//! What Redis says of itself: its version, its memory, and settings that break a promise.

use redis::InfoDict;

use super::Redis;
use crate::store::StoreError;

impl Redis {
    /// The product and its version, such as `Redis 8.2.1`. `None` if Redis does not say.
    pub async fn version(&self) -> Option<String> {
        let server: InfoDict = self.query(redis::cmd("INFO").arg("server")).await.ok()?;
        Some(format!("Redis {}", server.get::<String>("redis_version")?))
    }

    /// The bytes that a key takes, as Redis counts them; 0 if there is no such key.
    pub(in crate::store) async fn memory_of(&self, key: &str) -> Result<u64, StoreError> {
        let usage = redis::cmd("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(0).clone();
        Ok(self.query::<Option<u64>>(&usage).await?.unwrap_or_default())
    }

    /// The policy by which Redis evicts keys when its memory is full; `None` if it never does.
    ///
    /// With one, any key may be gone at any time: an absent key proves nothing.
    /// Not read of a cluster, whose nodes may each have another.
    pub async fn evicting_policy(&self) -> Result<Option<String>, StoreError> {
        if self.is_cluster() {
            return Ok(None);
        }
        let memory: InfoDict = self.query(redis::cmd("INFO").arg("memory")).await?;
        let policy = memory.get::<String>("maxmemory_policy");
        Ok(policy.filter(|policy| policy != "noeviction"))
    }

    /// One sentence for each setting of Redis that breaks a promise, as far as Redis tells.
    pub async fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Ok(Some(policy)) = self.evicting_policy().await {
            warnings.push(format!(
                "Redis evicts keys when its memory is full ({policy}): logins may be lost before they expire."
            ));
        }
        if self.is_cluster() {
            warnings.push(
                "Redis is a cluster: a replica that takes over, or a node that restores a snapshot, may bring back \
                 logins that were revoked shortly before."
                    .to_owned(),
            );
        }
        warnings
    }
}
