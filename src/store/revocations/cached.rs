//! A user's revocations, cached in Redis: a check sends one command, and an eviction loses nothing.
//!
//! The key `{jvs}:r:SCOPE:USER` is a hash: the generation under `g`, and a field for each revoked login. An absent key
//! means "unknown", never "not revoked": the node fills it from the SQL database. So a Redis that was restarted empty, or
//! that evicts keys, costs a few store calls and brings no login back.
//!
//! A fill races with a revoke: it must not write, after the revoke, what it read before. So the node leaves a lease in the
//! key before it reads the database, and fills only if the lease is still there. A revoke deletes the key, and the
//! lease with it.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use redis::Script;
use redis::aio::MultiplexedConnection;

use super::{ReadFrom, RevocationCommands, RevocationList, RevocationLookup, Revocations, UserRevocations};
use crate::clock::{Timestamp, whole_millis};
use crate::identity::{LoginId, UserId};
use crate::store::redis::connection::Recovery;
use crate::store::redis::query_over;
use crate::store::{Footprint, Redis, StoreError};

/// How long a node may take to read the database under a lease.
const LEASE: Duration = Duration::from_secs(5);

/// Leaves a lease in the key, unless it was filled meanwhile. Keys: the hash. Arguments: lease, its life in ms.
static TAKE_LEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('HEXISTS', KEYS[1], 'g') == 1 then return 0 end
        redis.call('HSET', KEYS[1], 'lease', ARGV[1])
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return 1
        ",
    )
});

/// Fills the key if the lease is still there. Keys: the hash. Arguments: lease, life in ms, generation, logins…
static FILL: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        if redis.call('HGET', KEYS[1], 'lease') ~= ARGV[1] then return 0 end
        redis.call('DEL', KEYS[1])
        redis.call('HSET', KEYS[1], 'g', ARGV[3])
        for i = 4, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], 1) end
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return 1
        ",
    )
});

/// Reads [`Revocations`] through Redis.
#[derive(Debug)]
pub struct CachedRevocations {
    durable: Arc<Revocations>,
    redis: Redis,
    scope: &'static str,
    /// Life of a key. No token lives longer.
    life: Duration,
}

impl CachedRevocations {
    /// The revocations of the strategy `scope`, whose tokens live for `life` at most.
    pub fn new(scope: &'static str, durable: Arc<Revocations>, redis: &Redis, life: Duration) -> Self {
        let redis = redis.recovered_by(Arc::new(CacheRecovery { prefix: prefix(scope) }));
        Self { durable, redis, scope, life }
    }

    async fn evict(&self, user: UserId) -> Result<(), StoreError> {
        self.redis.query::<i64>(redis::cmd("DEL").arg(self.key(user))).await.map(drop)
    }

    async fn fill(&self, user: UserId) -> Result<UserRevocations, StoreError> {
        let lease = LoginId::random();
        let mut take = TAKE_LEASE.key(self.key(user));
        take.arg(lease.as_str()).arg(whole_millis(LEASE));
        self.redis.run::<i64>(&take).await?;
        let revocations = self.durable.of_user(user).await?;
        let mut fill = FILL.key(self.key(user));
        fill.arg(lease.as_str()).arg(whole_millis(self.life)).arg(revocations.generation);
        for login in revocations.revoked.keys() {
            fill.arg(login.as_str());
        }
        self.redis.run::<i64>(&fill).await?;
        Ok(revocations)
    }

    fn key(&self, user: UserId) -> String {
        format!("{}{user}", prefix(self.scope))
    }
}

fn prefix(scope: &str) -> String {
    format!("{{jvs}}:r:{scope}:")
}

/// Deletes every key: a restarted Redis has old ones from its disk. The next checks fill them from the SQL database.
#[derive(Debug)]
struct CacheRecovery {
    prefix: String,
}

#[async_trait]
impl Recovery for CacheRecovery {
    async fn name(&self) -> Result<String, StoreError> {
        Ok(self.prefix.clone())
    }

    async fn recover(&self, connection: &mut MultiplexedConnection) -> Result<(), StoreError> {
        let mut cursor: u64 = 0;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}*", self.prefix)).arg("COUNT").arg(1000);
            let (next, keys): (u64, Vec<String>) = query_over(connection, &scan).await?;
            if !keys.is_empty() {
                query_over::<i64>(connection, redis::cmd("UNLINK").arg(&keys)).await?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }
}

#[async_trait]
impl RevocationList for CachedRevocations {
    fn commands(&self) -> &'static RevocationCommands {
        &RevocationCommands {
            revoke: "SQL INSERT the token's jti, Redis DEL: the next check reads it again",
            raise_generation: "SQL raise the user's generation, Redis DEL: the next check reads it again",
        }
    }

    async fn generation(&self, user: UserId) -> Result<i64, StoreError> {
        // A token is only worth signing if the next request can check it.
        self.redis.ping().await?;
        self.durable.generation(user).await
    }

    async fn look_up(&self, user: UserId, login: &LoginId, generation: i64) -> Result<RevocationLookup, StoreError> {
        let mut read = redis::cmd("HMGET");
        read.arg(self.key(user)).arg("g").arg(login.as_str());
        let (present, revoked): (Option<i64>, Option<i64>) = self.redis.query(&read).await?;
        Ok(match present {
            Some(present) => {
                let is_revoked = generation < present || revoked.is_some();
                RevocationLookup { is_revoked, read_from: ReadFrom::Redis }
            }
            None => {
                let is_revoked = self.fill(user).await?.covers(login, generation);
                RevocationLookup { is_revoked, read_from: ReadFrom::Sql }
            }
        })
    }

    async fn revoke(&self, user: UserId, login: &LoginId, expires: Timestamp) -> Result<(), StoreError> {
        // First in the SQL database, then in Redis.
        self.durable.revoke(user, login, expires).await?;
        self.evict(user).await
    }

    async fn raise_generation(&self, user: UserId) -> Result<(), StoreError> {
        self.durable.raise_generation(user).await?;
        self.evict(user).await
    }

    async fn footprint(&self, user: UserId) -> Result<Footprint, StoreError> {
        let user = self.redis.memory_of(&self.key(user)).await?;
        Ok(Footprint {
            user,
            how: "Redis MEMORY USAGE of the user's key, which a check leaves there",
            ..Footprint::default()
        })
    }
}
