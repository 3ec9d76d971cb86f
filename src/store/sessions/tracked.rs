//! Sessions in Redis, with tracked copies of those in use, decoded in this process (Redis client-side caching, RESP3).
//!
//! Redis pushes the name of every session record that changes, and the node evicts its copy. A revoked login is not
//! accepted from a copy, because:
//!
//! - A push invalidates the ticket of a read under way: the node does not keep what it reads.
//! - The node never keeps the absence of a record, so made-up ids take no memory.
//! - This node's own revoke evicts before and after it deletes: Redis may push later than it answers.
//! - A new connection, and a FLUSHALL, evict every copy.
//! - While the channel cannot prove that no push is missing ([`crate::store::push_channel`]), every check reads Redis.
//! - The strategy checks the limits of the record at every hit.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, Value};
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store;

use super::redis::STEP_NAMES as REDIS_STEPS;
use super::scripts::TRACKED;
use super::{Footprint, LoginRecord, LoginStore, RedisSessions, StepNames, StoreError};
use crate::clock::Clock;
use crate::identity::{LoginId, UserId};
use crate::store::Redis;
use crate::store::push_channel::{PushChannel, PushListener};
use crate::store::redis::query_over;
use crate::store::revocations::Revocations;

const STEP_NAMES: StepNames = StepNames {
    held_in: "Redis, and in use in this process",
    recall: Some("process memory: the tracked copy, which Redis evicts when the record changes"),
    load: "Redis GET: the record under the hash of the id; keep a tracked copy",
    revoke: "evict the copy; SQL INSERT the revocation; Redis script: DEL the record, ZREM it from the user's logins",
    revoke_all: "evict the copies; SQL raise the generation; Redis ZRANGE; SQL INSERT the revocations; Redis script: DEL the records",
    ..REDIS_STEPS
};

/// The most copies that a node keeps, some 35 MB. The next one replaces any other.
pub const MAX_COPIES: usize = 100_000;

/// The copies, and the reads under way.
#[derive(Debug, Default)]
struct TrackedCopies {
    records: RwLock<HashMap<LoginId, Arc<LoginRecord>>>,
    /// The latest ticket of each record that a request reads now. Locked before `records` wherever both are.
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

    /// Keeps a copy of a record that was read under a ticket, unless a push invalidated the ticket.
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

    fn return_ticket(&self, login: &LoginId, ticket: u64) {
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
        // It is unknown yet whose records the reads under way will find.
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
        // It is unknown what changed while the node was not connected.
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

/// Returns a ticket when its read finds no record, or is given up.
struct ReadTicket<'a> {
    copies: &'a TrackedCopies,
    login: &'a LoginId,
    ticket: u64,
}

impl Drop for ReadTicket<'_> {
    fn drop(&mut self) {
        self.copies.return_ticket(self.login, self.ticket);
    }
}

/// [`RedisSessions`], read through tracked copies.
#[derive(Debug)]
pub struct TrackedSessions {
    inner: RedisSessions,
    copies: Arc<TrackedCopies>,
    channel: PushChannel,
}

impl TrackedSessions {
    /// The sessions of `/session-tracked`. A revoke writes to `revocations` first. Needs a tokio runtime.
    pub fn new(redis: &Redis, revocations: Revocations, clock: Clock) -> Self {
        let copies = Arc::new(TrackedCopies::default());
        let channel = PushChannel::open(redis.clone(), copies.clone());
        Self { inner: RedisSessions::under(&TRACKED, redis, revocations, clock), copies, channel }
    }
}

#[async_trait]
impl SessionStore for TrackedSessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.inner.create(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let login = LoginId::of_session(&record.id);
        self.copies.evict(&login);
        let saved = self.inner.save(record).await;
        self.copies.evict(&login);
        saved
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.find(&LoginId::of_session(id)).await?.map(|found| found.to_record(id)).transpose()
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let login = LoginId::of_session(id);
        self.copies.evict(&login);
        let deleted = self.inner.delete(id).await;
        self.copies.evict(&login);
        deleted
    }
}

#[async_trait]
impl LoginStore for TrackedSessions {
    fn step_names(&self) -> &'static StepNames {
        &STEP_NAMES
    }

    fn recall(&self, login: &LoginId) -> Option<Arc<LoginRecord>> {
        // First the freshness: what Redis pushed before that proof is evicted by now.
        if self.channel.is_fresh() { self.copies.get(login) } else { None }
    }

    async fn find(&self, login: &LoginId) -> session_store::Result<Option<Arc<LoginRecord>>> {
        let read = ReadTicket { copies: &self.copies, login, ticket: self.copies.ticket(login) };
        let found = self.inner.find(login).await?;
        if let Some(record) = &found {
            self.copies.keep(login.clone(), read.ticket, record.clone());
        }
        Ok(found)
    }

    async fn touch(&self, id: &Id, record: &LoginRecord) -> Result<bool, StoreError> {
        let login = LoginId::of_session(id);
        self.copies.evict(&login);
        let touched = self.inner.touch(id, record).await;
        self.copies.evict(&login);
        touched
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<(LoginId, LoginRecord)>, StoreError> {
        self.inner.of_user(user).await
    }

    async fn revoke(&self, user: UserId, login: &LoginId) -> Result<bool, StoreError> {
        self.copies.evict(login);
        let revoked = self.inner.revoke(user, login).await;
        self.copies.evict(login);
        revoked
    }

    async fn revoke_all_but(&self, user: UserId, kept: Option<&LoginId>) -> Result<(), StoreError> {
        // The kept login loses its copy too: the next check reads it again.
        self.copies.evict_user(user);
        let revoked = self.inner.revoke_all_but(user, kept).await;
        self.copies.evict_user(user);
        revoked
    }

    async fn footprint(&self, user: UserId, login: &LoginId) -> Result<Footprint, StoreError> {
        let how =
            "Redis MEMORY USAGE of the record and of the user's index; the copies of nodes that use it come on top";
        Ok(Footprint { how, ..self.inner.footprint(user, login).await? })
    }
}

#[cfg(test)]
mod tests;
