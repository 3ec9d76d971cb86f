//! The revocations of all users in this process' memory, pushed through Redis.
//!
//! A revoke is written to the SQL database, then published; every node adds it to its memory. A node that connects, or
//! connects again, subscribes first and reads the SQL database then: what is revoked in between comes both ways. While
//! the channel cannot prove that it is complete, every question goes to Redis instead.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, Value};
use serde::{Deserialize, Serialize};

use super::{CachedRevocations, ReadFrom, RevocationCommands, RevocationList, Revocations};
use crate::clock::{Clock, Timestamp};
use crate::identity::{LoginId, UserId};
use crate::store::push_channel::{PushChannel, PushListener};
use crate::store::redis::query_over;
use crate::store::{Footprint, Redis, StoreError};

/// One revocation, as it is published. Field names are short: every node reads every message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Revocation {
    /// A single login of a user, and until when that matters.
    #[serde(rename = "l")]
    Login(UserId, LoginId, Timestamp),
    /// A user's cut-off, and until when that matters.
    #[serde(rename = "c")]
    Generation(UserId, i64, Timestamp),
}

/// What is in memory. Flat, so that a question touches few cache lines: a slot of 49 bytes for each revoked login, and
/// twice as many slots whenever seven of eight are taken. So 56 to 112 bytes.
#[derive(Debug, Default)]
struct RevocationTable {
    /// Single logins that were ended, each with its user (a name alone could be somebody else's), and until when that
    /// matters.
    logins: HashMap<(UserId, LoginId), Timestamp>,
    /// The cut-off of each user, and until when it matters.
    generations: HashMap<UserId, (i64, Timestamp)>,
    /// How many revocations were added since the last clean-up, and how many were left then.
    added: usize,
    cleaned_at: usize,
}

impl RevocationTable {
    /// Adds what is not there. Nothing is ever taken back: the order of messages does not matter.
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
        self.generations.get(&user).is_some_and(|(cut_off, _)| generation < *cut_off)
            || self.logins.contains_key(&(user, login.clone()))
    }

    fn drop_expired(&mut self, now: Timestamp) {
        if self.added < self.cleaned_at.max(512) {
            return;
        }
        self.logins.retain(|_, until| *until > now);
        self.generations.retain(|_, (_, until)| *until > now);
        // After a night of a million of them the room is given back.
        self.logins.shrink_to_fit();
        self.generations.shrink_to_fit();
        (self.added, self.cleaned_at) = (0, self.logins.len() + self.generations.len());
    }
}

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
            _ => tracing::error!("a revocation was published that cannot be read"),
        }
    }
}

/// The revocations of one strategy, on every node that listens.
#[derive(Debug)]
pub struct PushedRevocations {
    asked: CachedRevocations,
    node: Arc<PushReceiver>,
    channel: PushChannel,
    redis: Redis,
    life: Duration,
}

impl PushedRevocations {
    /// Of the strategy `scope`, whose tokens live for `life`. Needs a tokio runtime.
    pub fn new(scope: &'static str, truth: Revocations, redis: Redis, life: Duration, clock: Clock) -> Self {
        let truth = Arc::new(truth);
        let channel = format!("{{jvs}}:p:{scope}");
        let node = Arc::new(PushReceiver { durable: truth.clone(), channel, clock, memory: RwLock::default() });
        let channel = PushChannel::open(redis.clone(), node.clone());
        let asked = CachedRevocations::new(scope, truth, &redis, life);
        Self { asked, node, channel, redis, life }
    }

    async fn publish(&self, revoked: Revocation) -> Result<(), StoreError> {
        let text = serde_json::to_string(&revoked).map_err(|error| StoreError::new("Redis", &error))?;
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
        self.asked.generation(user).await
    }

    fn recall(&self, user: UserId, login: &LoginId, generation: i64) -> Option<bool> {
        // Asked first: what was pushed before the proof is in memory by now.
        let fresh = self.channel.is_fresh();
        let known = self.node.memory.read().unwrap_or_else(PoisonError::into_inner).covers(user, login, generation);
        // A revocation is never taken back: what memory knows is so, however old it is.
        (known || fresh).then_some(known)
    }

    async fn revoked(&self, user: UserId, login: &LoginId, generation: i64) -> Result<(bool, ReadFrom), StoreError> {
        self.asked.revoked(user, login, generation).await
    }

    async fn revoke(&self, user: UserId, login: &LoginId, expires: Timestamp) -> Result<(), StoreError> {
        self.asked.revoke(user, login, expires).await?;
        self.publish(Revocation::Login(user, login.clone(), expires)).await
    }

    async fn raise_generation(&self, user: UserId) -> Result<(), StoreError> {
        self.asked.raise_generation(user).await?;
        let generation = self.asked.generation(user).await?;
        self.publish(Revocation::Generation(user, generation, self.node.clock.now() + self.life)).await
    }

    async fn footprint(&self, _user: UserId) -> Result<Footprint, StoreError> {
        Ok(Footprint { how: "nothing is stored until a token is revoked", ..Footprint::default() })
    }
}
