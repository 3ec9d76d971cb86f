//! Sessions in Redis, and the ones in use decoded in this process, evicted by Redis itself (client tracking, RESP3).
//!
//! Redis pushes the name of every session record that changes. What keeps a dead login from being answered:
//!
//! - A record that is being read when its name is pushed is not kept: the reader's ticket is gone.
//! - "There is no such record" is never kept, so made-up ids take no room.
//! - This node's own revoke evicts before and after it deletes: Redis may push later than it answers.
//! - A new connection, and a FLUSHALL, empty everything.
//! - While the channel cannot prove that it is complete ([`crate::store::push_channel`]), every read goes to Redis.
//! - The record's own limits are checked at every hit, by the strategy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, Value};
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;

use super::scripts::TRACKED;
use super::{Footprint, LoginRecord, LoginStore, RedisSessions, StepNames, StoreError};
use crate::clock::Clock;
use crate::identity::{LoginId, UserId};
use crate::store::Redis;
use crate::store::push_channel::{PushChannel, PushListener};
use crate::store::redis::query_over;
use crate::store::revocations::Revocations;
use crate::trace::StepKind;

const STEP_NAMES: StepNames = StepNames {
    name: "Redis",
    held_in: "Redis, and in use in this process",
    kind: StepKind::Store,
    recall: Some("process memory: the record, which Redis would have evicted had it changed"),
    load: "Redis GET: the record under the hash of the id, to be kept here",
    create: "Redis script: SET NX the record with its life, ZADD it to the user's logins",
    touch: "Redis script: SET XX the record with a new idle limit, only if it is still there",
    end: "evict it here; SQL INSERT that it ended; Redis script: DEL the record, ZREM it from the user's logins",
    end_all: "evict them here; SQL raise the cut-off; Redis ZRANGE; SQL INSERT that they ended; Redis script: DEL their records",
    list: "Redis ZRANGE the user's logins, MGET their records",
};

/// How many records are kept: some 35 MB. The next one takes the place of any other.
pub const MAX_COPIES: usize = 100_000;

/// The records that are kept, and the reads that are under way.
#[derive(Debug, Default)]
struct TrackedCopies {
    records: RwLock<HashMap<LoginId, Arc<LoginRecord>>>,
    /// The latest ticket for each record that is being read. Taken before `records` wherever both are.
    tickets: Mutex<Tickets>,
}

#[derive(Debug, Default)]
struct Tickets {
    given: u64,
    valid: HashMap<LoginId, u64>,
}

impl TrackedCopies {
    fn get(&self, login: &LoginId) -> Option<Arc<LoginRecord>> {
        self.records.read().unwrap_or_else(PoisonError::into_inner).get(login).cloned()
    }

    fn ticket(&self, login: &LoginId) -> u64 {
        let mut tickets = self.tickets();
        tickets.given += 1;
        let ticket = tickets.given;
        tickets.valid.insert(login.clone(), ticket);
        ticket
    }

    /// Keeps a record that was read under a ticket, if nothing happened to it since.
    fn keep(&self, login: LoginId, ticket: u64, record: Arc<LoginRecord>) {
        let mut tickets = self.tickets();
        if tickets.valid.get(&login) != Some(&ticket) {
            return;
        }
        tickets.valid.remove(&login);
        let mut records = self.records.write().unwrap_or_else(PoisonError::into_inner);
        if records.len() >= MAX_COPIES {
            let any = records.keys().next().cloned();
            any.map(|any| records.remove(&any));
        }
        records.insert(login, record);
    }

    fn give_back(&self, login: &LoginId, ticket: u64) {
        let mut tickets = self.tickets();
        if tickets.valid.get(login) == Some(&ticket) {
            tickets.valid.remove(login);
        }
    }

    fn evict(&self, login: &LoginId) {
        let mut tickets = self.tickets();
        tickets.valid.remove(login);
        self.records.write().unwrap_or_else(PoisonError::into_inner).remove(login);
    }

    fn evict_user(&self, user: UserId) {
        let mut tickets = self.tickets();
        // Whose records are being read is not known yet.
        tickets.valid.clear();
        self.records.write().unwrap_or_else(PoisonError::into_inner).retain(|_, record| record.user != user);
    }

    fn clear(&self) {
        let mut tickets = self.tickets();
        tickets.valid.clear();
        self.records.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn tickets(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PushListener for TrackedCopies {
    async fn connected(&self, connection: &mut MultiplexedConnection) -> Result<(), StoreError> {
        let mut tracking = redis::cmd("CLIENT");
        tracking.arg("TRACKING").arg("ON").arg("BCAST").arg("PREFIX").arg(TRACKED.record);
        query_over::<Value>(connection, &tracking).await?;
        // What changed while nobody listened is not known.
        self.clear();
        Ok(())
    }

    fn pushed(&self, push: PushInfo) {
        if push.kind != PushKind::Invalidate {
            return;
        }
        let keys = push.data.first().and_then(|keys| redis::from_redis_value_ref::<Option<Vec<String>>>(keys).ok());
        let Some(Some(keys)) = keys else { return self.clear() };
        for login in keys.iter().filter_map(|key| LoginId::parse(key.strip_prefix(TRACKED.record)?)) {
            self.evict(&login);
        }
    }
}

/// Gives a ticket back when its read ends without a record, or is given up.
struct ReadTicket<'a> {
    cache: &'a TrackedCopies,
    login: &'a LoginId,
    ticket: u64,
}

impl Drop for ReadTicket<'_> {
    fn drop(&mut self) {
        self.cache.give_back(self.login, self.ticket);
    }
}

/// [`RedisSessions`], read through a cache that Redis keeps true.
#[derive(Debug)]
pub struct TrackedSessions {
    inner: RedisSessions,
    cache: Arc<TrackedCopies>,
    channel: PushChannel,
}

impl TrackedSessions {
    /// Under keys of its own, on this Redis. Which logins ended stands in `ended`. Needs a tokio runtime.
    pub fn new(redis: &Redis, ended: Revocations, clock: Clock) -> Self {
        let cache = Arc::new(TrackedCopies::default());
        let channel = PushChannel::open(redis.clone(), cache.clone());
        Self { inner: RedisSessions::under(&TRACKED, redis, ended, clock), cache, channel }
    }
}

#[async_trait]
impl SessionStore for TrackedSessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.inner.create(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let login = LoginId::of_session(&record.id);
        self.cache.evict(&login);
        let saved = self.inner.save(record).await;
        self.cache.evict(&login);
        saved
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.find(&LoginId::of_session(id)).await?.map(|found| found.to_record(id)).transpose()
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let login = LoginId::of_session(id);
        self.cache.evict(&login);
        let deleted = self.inner.delete(id).await;
        self.cache.evict(&login);
        deleted
    }
}

#[async_trait]
impl LoginStore for TrackedSessions {
    fn step_names(&self) -> &'static StepNames {
        &STEP_NAMES
    }

    fn recall(&self, login: &LoginId) -> Option<Arc<LoginRecord>> {
        // Asked first: what was pushed before the proof is evicted by now.
        if self.channel.is_fresh() { self.cache.get(login) } else { None }
    }

    async fn find(&self, login: &LoginId) -> session_store::Result<Option<Arc<LoginRecord>>> {
        let reading = ReadTicket { cache: &self.cache, login, ticket: self.cache.ticket(login) };
        let found = self.inner.find(login).await?;
        if let Some(record) = &found {
            self.cache.keep(login.clone(), reading.ticket, record.clone());
        }
        Ok(found)
    }

    async fn touch(&self, id: &Id, record: &LoginRecord) -> Result<bool, StoreError> {
        let login = LoginId::of_session(id);
        self.cache.evict(&login);
        let touched = self.inner.touch(id, record).await;
        self.cache.evict(&login);
        touched
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<(LoginId, LoginRecord)>, StoreError> {
        self.inner.of_user(user).await
    }

    async fn end(&self, user: UserId, login: &LoginId) -> Result<(), StoreError> {
        self.cache.evict(login);
        let ended = self.inner.end(user, login).await;
        self.cache.evict(login);
        ended
    }

    async fn end_all(&self, user: UserId) -> Result<(), StoreError> {
        self.cache.evict_user(user);
        let ended = self.inner.end_all(user).await;
        self.cache.evict_user(user);
        ended
    }

    async fn footprint(&self, user: UserId, login: &LoginId) -> Result<Footprint, StoreError> {
        let how =
            "Redis MEMORY USAGE of the record and of the user's index; the copies of nodes that use it come on top";
        Ok(Footprint { how, ..self.inner.footprint(user, login).await? })
    }
}
