//! Revokes the logins of users who were disabled or deleted, under every mount of this node.
//!
//! The presenter's page and the commands write to the SQL database that a user has ended. Each node reads that every half
//! second, with one statement, and revokes every login of the user. So no check of a request reads a store for
//! whether the user has ended: the strategies keep their cost.
//!
//! A node that starts does the same before it answers its first request, where it is still pending. The SQL database notes
//! what was done in it, each Redis what was done there: a Redis that was away meanwhile has no note. Process memory is
//! empty at a start.
//!
//! - `mount_queue.rs`: the users whose logins one mount still has to revoke. `pause.rs`: when to try again.
//!
//! Until a mount has revoked the logins, [`BlockedUsers`] lets no check of these users through there.

mod mount_queue;
mod pause;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use uuid::Uuid;

use self::mount_queue::MountQueue;
use self::pause::RetryPause;
use super::blocked_users::BlockedUsers;
use super::state::AppState;
use crate::auth::{Backend, Failure};
use crate::clock::Timestamp;
use crate::identity::UserId;
use crate::store::StoreError;
use crate::store::ended_users::{EndedUser, RedisNotes};

/// The time from one look at the database to the next.
const PERIOD: Duration = Duration::from_millis(500);

/// Within this long every node has ended the logins, where the strategy can: the period, and the time that the stores take.
pub const ENDED_WITHIN: Duration = Duration::from_secs(1);

/// How far back a node looks each time: the clock of the machine that ended the user may be behind, and a transaction may
/// commit late.
const LOOK_BACK: Duration = Duration::from_hours(1);

/// Revokes the logins of ended users on one node.
pub struct EndedUserWatch {
    state: Arc<AppState>,
    notes: RedisNotes,
    /// The longest life of a login under the present settings. No check accepts an older one.
    longest_life: Duration,
    queues: Vec<MountQueue>,
    /// When the database last answered. A node that was cut from it looks back from there.
    last_look: Timestamp,
    /// The rows that this node has read.
    known: HashSet<Uuid>,
    /// Rows whose notes Redis did not show yet: it is unknown whether they are pending there.
    unread: Vec<EndedUser>,
    unread_pause: RetryPause,
    /// The users of those rows, once Redis failed to show its notes: no mount on Redis accepts them.
    blocked: Vec<UserId>,
    /// For each store that keeps notes, the rows without one.
    without_note: [(Backend, Vec<EndedUser>); 2],
    /// Whether the last look failed: the log has one line for an outage.
    failing: bool,
}

impl EndedUserWatch {
    pub fn new(state: Arc<AppState>, longest_life: Duration) -> Self {
        let queues = state.strategies().cloned().map(MountQueue::new).collect();
        let notes = RedisNotes::new(&state.services.sql, state.services.redis.as_ref());
        let without_note = [(Backend::Sql, Vec::new()), (Backend::Redis, Vec::new())];
        Self {
            last_look: state.services.clock.now(),
            state,
            notes,
            longest_life,
            queues,
            known: HashSet::new(),
            unread: Vec::new(),
            unread_pause: RetryPause::default(),
            blocked: Vec::new(),
            without_note,
            failing: false,
        }
    }

    /// Revokes what is pending, before the node answers its first request. What a store keeps it from is tried again later;
    /// meanwhile the node accepts none of these users.
    pub async fn catch_up(&mut self) -> Result<(), StoreError> {
        let services = self.state.services.clone();
        let since = services.clock.now() - (self.longest_life + LOOK_BACK);
        let ended = services.ended_users.since(since).await?;
        self.known.extend(ended.iter().map(|ended| ended.id));
        for pending in ended.iter().filter(|ended| !ended.is_done_in_sql) {
            self.enqueue(*pending, &[Backend::Sql]);
        }
        if services.redis.is_some() {
            self.unread = ended;
        }
        self.carry_out(Ok(())).await;
        Ok(())
    }

    /// Looks again and again, until it is dropped.
    pub async fn run(mut self) {
        loop {
            // First what the start did: the security log began after it.
            self.queues.iter_mut().for_each(MountQueue::record);
            tokio::time::sleep(PERIOD).await;
            let services = &self.state.services;
            let now = services.clock.now();
            let looked = services.ended_users.since(self.last_look - LOOK_BACK).await;
            let looked = looked.map(|ended| {
                self.last_look = now;
                self.take(&ended);
            });
            self.carry_out(looked).await;
        }
    }

    fn take(&mut self, ended: &[EndedUser]) {
        for new in ended {
            if self.known.insert(new.id) {
                self.enqueue(*new, &[Backend::None, Backend::Sql, Backend::Redis]);
            }
        }
        // The database never shows a row again that it has left out once.
        let shown: HashSet<_> = ended.iter().map(|ended| ended.id).collect();
        self.known.retain(|id| shown.contains(id));
    }

    /// Every mount on one of these stores has to revoke the user's logins.
    fn enqueue(&mut self, ended: EndedUser, backends: &[Backend]) {
        for queue in self.queues.iter_mut().filter(|queue| backends.contains(&queue.backend())) {
            queue.push(ended);
        }
        for (_, rows) in self.without_note.iter_mut().filter(|(backend, _)| backends.contains(backend)) {
            rows.push(ended);
        }
    }

    /// Goes on after a failure: another mount may need another store.
    async fn carry_out(&mut self, looked: Result<(), StoreError>) {
        let read = self.read_notes().await;
        let services = &self.state.services;
        let revoked = join_all(self.queues.iter_mut().map(|queue| queue.carry_out(services))).await;
        if self.unread.is_empty() {
            let blocked = std::mem::take(&mut self.blocked);
            self.for_each_on_redis(&blocked, BlockedUsers::unblock);
        }
        let noted = self.write_notes().await;
        let mut failures = [looked, read, noted].into_iter().filter_map(|done| done.err().map(Failure::from));
        let failure = failures.next().or_else(|| revoked.into_iter().find_map(Result::err));
        let is_waiting = !self.unread.is_empty() || self.queues.iter().any(MountQueue::is_waiting);
        match failure {
            Some(error) if !self.failing => {
                tracing::error!(%error, "the node could not end logins of a disabled or deleted user; it tries again");
                self.failing = true;
            }
            None if self.failing && !is_waiting => {
                tracing::info!("the node has ended every login of disabled and deleted users");
                self.failing = false;
            }
            _ => {}
        }
    }

    /// Finds out which rows are pending in Redis. Until then no mount on Redis accepts their users.
    async fn read_notes(&mut self) -> Result<(), StoreError> {
        if self.unread.is_empty() || !self.unread_pause.is_over() {
            return Ok(());
        }
        match self.notes.read().await {
            Ok(done) => {
                let all = std::mem::take(&mut self.unread).into_iter();
                all.filter(|ended| !done.contains(&ended.id)).for_each(|ended| self.enqueue(ended, &[Backend::Redis]));
                Ok(())
            }
            Err(error) => {
                self.unread_pause.begin();
                if self.blocked.is_empty() {
                    self.blocked = self.unread.iter().map(|ended| ended.user).collect();
                    self.for_each_on_redis(&self.blocked, BlockedUsers::block);
                }
                Err(error)
            }
        }
    }

    fn for_each_on_redis(&self, users: &[UserId], change: fn(&BlockedUsers, &'static str, UserId)) {
        for queue in self.queues.iter().filter(|queue| queue.backend() == Backend::Redis) {
            for user in users {
                change(&self.state.services.blocked_users, queue.slug(), *user);
            }
        }
    }

    /// Notes in each store what every mount on it has done.
    async fn write_notes(&mut self) -> Result<(), StoreError> {
        let (services, mut outcome) = (&self.state.services, Ok(()));
        for (backend, rows) in &mut self.without_note {
            let queues = self.queues.iter().filter(|queue| queue.backend() == *backend);
            let waiting: HashSet<_> = queues.flat_map(MountQueue::waiting).collect();
            let done: Vec<_> = rows.iter().filter(|row| !waiting.contains(&row.id)).copied().collect();
            if done.is_empty() {
                continue;
            }
            let noted = match backend {
                Backend::Redis => self.notes.add(&done, self.longest_life + LOOK_BACK, services.clock.now()).await,
                Backend::Sql | Backend::None => services.ended_users.carried_out(&done).await,
            };
            match noted {
                Ok(()) => rows.retain(|row| waiting.contains(&row.id)),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }
}
