//! The revocations of all users in this process' memory, pushed through Redis.
//!
//! The node that revokes writes to the SQL database, then publishes; every node adds the revocation to its memory. A node
//! that connects, or reconnects, first subscribes, then reads the SQL database: a revocation in between reaches it twice.
//! While the channel cannot prove that no push is missing, every check reads Redis instead.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, Value};
use serde::{Deserialize, Serialize};

use super::{CachedRevocations, RevocationCommands, RevocationList, RevocationLookup, Revocations};
use crate::clock::{Clock, Timestamp};
use crate::identity::{LoginId, UserId};
use crate::store::push_channel::{PushChannel, PushListener};
use crate::store::redis::query_over;
use crate::store::{Footprint, Redis, StoreError};

/// One revocation, as nodes publish it. Names are short: every node reads every message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Revocation {
    /// A single login of a user, and when it expires.
    #[serde(rename = "l")]
    Login(UserId, LoginId, Timestamp),
    /// A user's new generation, and when the last token of an earlier one expires.
    #[serde(rename = "c")]
    Generation(UserId, i64, Timestamp),
}

/// The revocations in memory. Flat, so that a check touches few cache lines. Each revoked login takes 56 to 112 bytes: a
/// slot has 49 bytes, and the table doubles whenever seven of eight slots are taken.
#[derive(Debug, Default)]
struct RevocationTable {
    /// When each revoked login expires. The user is part of the key: a name alone could be somebody else's.
    logins: HashMap<(UserId, LoginId), Timestamp>,
    /// The generation of each user, and when the last token of an earlier one expires.
    generations: HashMap<UserId, (i64, Timestamp)>,
    /// Revocations added since the last clean-up.
    added: usize,
    /// Revocations left by the last clean-up.
    kept: usize,
}

impl RevocationTable {
    /// Adds a revocation. None is ever undone, so the order of messages does not matter.
    fn add(&mut self, revoked: Revocation) {
        self.added += 1;
        match revoked {
            Revocation::Login(user, login, until) => {
                let latest = self.logins.entry((user, login)).or_insert(until);
                *latest = until.max(*latest);
            }
            Revocation::Generation(user, generation, until) => {
                let (highest, latest) = self.generations.entry(user).or_insert((generation, until));
                (*highest, *latest) = (generation.max(*highest), until.max(*latest));
            }
        }
    }

    fn covers(&self, user: UserId, login: &LoginId, generation: i64) -> bool {
        self.generations.get(&user).is_some_and(|(present, _)| generation < *present)
            || self.logins.contains_key(&(user, login.clone()))
    }

    fn drop_expired(&mut self, now: Timestamp) {
        if self.added < self.kept.max(512) {
            return;
        }
        self.logins.retain(|_, until| *until > now);
        self.generations.retain(|_, (_, until)| *until > now);
        // Gives the memory of a million expired revocations back.
        self.logins.shrink_to_fit();
        self.generations.shrink_to_fit();
        (self.added, self.kept) = (0, self.logins.len() + self.generations.len());
    }
}

/// Adds what other nodes publish to the memory of this one.
#[derive(Debug)]
struct PushReceiver {
    durable: Arc<Revocations>,
    channel: String,
    clock: Clock,
    memory: RwLock<RevocationTable>,
}

impl PushReceiver {
    fn write(&self) -> RwLockWriteGuard<'_, RevocationTable> {
        self.memory.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, revoked: Revocation) {
        let mut memory = self.write();
        memory.drop_expired(self.clock.now());
        memory.add(revoked);
    }
}

#[async_trait]
impl PushListener for PushReceiver {
    async fn connected(&self, connection: &mut MultiplexedConnection) -> Result<(), StoreError> {
        query_over::<Value>(connection, redis::cmd("SUBSCRIBE").arg(&self.channel)).await?;
        for revoked in self.durable.all().await? {
            self.add(revoked);
        }
        Ok(())
    }

    fn pushed(&self, push: PushInfo) {
        if push.kind != PushKind::Message {
            return;
        }
        let text = push.data.get(1).and_then(|value| redis::from_redis_value_ref::<Vec<u8>>(value).ok());
        match text.map(|text| serde_json::from_slice(&text)) {
            Some(Ok(revoked)) => self.add(revoked),
            _ => tracing::error!("another node published a revocation that this one cannot read"),
        }
    }
}

/// The revocations of one strategy, in the memory of every node.
#[derive(Debug)]
pub struct PushedRevocations {
    /// Read while the channel is silent.
    cached: CachedRevocations,
    node: Arc<PushReceiver>,
    channel: PushChannel,
    redis: Redis,
    life: Duration,
}

impl PushedRevocations {
    /// Those of the strategy `scope`, whose tokens live for `life` at most. Needs a tokio runtime.
    pub fn new(scope: &'static str, durable: Revocations, redis: Redis, life: Duration, clock: Clock) -> Self {
        let durable = Arc::new(durable);
        let channel = format!("{{jvs}}:p:{scope}");
        let node = Arc::new(PushReceiver { durable: durable.clone(), channel, clock, memory: RwLock::default() });
        let channel = PushChannel::open(redis.clone(), node.clone());
        let cached = CachedRevocations::new(scope, durable, &redis, life);
        Self { cached, node, channel, redis, life }
    }

    async fn publish(&self, revoked: Revocation) -> Result<(), StoreError> {
        let text = serde_json::to_string(&revoked).map_err(|error| StoreError::unavailable(Redis::NAME, &error))?;
        self.node.add(revoked);
        self.redis.query::<i64>(redis::cmd("PUBLISH").arg(&self.node.channel).arg(text)).await.map(drop)
    }
}

#[async_trait]
impl RevocationList for PushedRevocations {
    fn commands(&self) -> &'static RevocationCommands {
        &RevocationCommands {
            revoke: "SQL INSERT the token's jti, Redis DEL and PUBLISH: every node adds it",
            raise_generation: "SQL raise the user's generation and SELECT it, Redis DEL and PUBLISH: every node adds it",
        }
    }

    async fn generation(&self, user: UserId) -> Result<i64, StoreError> {
        self.cached.generation(user).await
    }

    fn recall(&self, user: UserId, login: &LoginId, generation: i64) -> Option<bool> {
        // First the freshness: what Redis pushed before that proof is in memory by now.
        let fresh = self.channel.is_fresh();
        let revoked = self.node.memory.read().unwrap_or_else(PoisonError::into_inner).covers(user, login, generation);
        // No revocation is ever undone: one in memory holds, however stale the memory is.
        (revoked || fresh).then_some(revoked)
    }

    async fn look_up(&self, user: UserId, login: &LoginId, generation: i64) -> Result<RevocationLookup, StoreError> {
        self.cached.look_up(user, login, generation).await
    }

    async fn revoke(&self, user: UserId, login: &LoginId, expires: Timestamp) -> Result<(), StoreError> {
        self.cached.revoke(user, login, expires).await?;
        self.publish(Revocation::Login(user, login.clone(), expires)).await
    }

    async fn raise_generation(&self, user: UserId) -> Result<(), StoreError> {
        self.cached.raise_generation(user).await?;
        let generation = self.node.durable.generation(user).await?;
        self.publish(Revocation::Generation(user, generation, self.node.clock.now() + self.life)).await
    }

    async fn footprint(&self, _user: UserId) -> Result<Footprint, StoreError> {
        Ok(Footprint { how: "nothing is stored until a token is revoked", ..Footprint::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(1);

    fn now() -> Timestamp {
        Timestamp::from_millis(1_764_000_000_000)
    }

    fn revoke(table: &mut RevocationTable, user: UserId, count: usize, until: Timestamp) -> Vec<LoginId> {
        let logins: Vec<_> = (0..count).map(|_| LoginId::random()).collect();
        for login in &logins {
            table.add(Revocation::Login(user, login.clone(), until));
        }
        logins
    }

    #[test]
    fn a_clean_up_forgets_what_has_expired_and_nothing_else() {
        let (mut table, user) = (RevocationTable::default(), UserId::random());
        let expired = revoke(&mut table, user, 255, now());
        let (early, late) = (UserId::random(), UserId::random());
        table.add(Revocation::Generation(early, 3, now()));
        let revoked = revoke(&mut table, user, 255, now() + TICK);
        table.drop_expired(now());
        assert!(expired.iter().all(|login| table.covers(user, login, 0)), "511 revocations are not worth a clean-up");
        table.add(Revocation::Generation(late, 3, now() + TICK));
        table.drop_expired(now());
        assert!(!expired.iter().any(|login| table.covers(user, login, 0)));
        assert!(revoked.iter().all(|login| table.covers(user, login, 0)), "a revoked login came back");
        assert!(!table.covers(early, &revoked[0], 2));
        assert!(table.covers(late, &revoked[0], 2), "logins revoked by their generation came back");
    }

    #[test]
    fn the_next_clean_up_waits_until_the_memory_has_doubled() {
        let (mut table, user) = (RevocationTable::default(), UserId::random());
        revoke(&mut table, user, 700, now() + TICK);
        table.add(Revocation::Generation(user, 3, now() + TICK));
        table.drop_expired(now());
        revoke(&mut table, UserId::random(), 700, now());
        table.drop_expired(now());
        assert_eq!(table.logins.len(), 1400, "701 were kept and 700 came");
        revoke(&mut table, user, 1, now() + TICK);
        table.drop_expired(now());
        assert_eq!(table.logins.len(), 701);
    }
}
