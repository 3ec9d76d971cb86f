//! How many connections there may be, in all and of one network, and which one goes when there are too many.
//!
//! An idle connection carries no request, so it goes first: its client opens another one when it needs it. Above all
//! limits the server keeps a few places in which it answers `/healthz` alone, so that a flood does not look like a crash.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::network::{TrustedProxies, network};

/// How long a new connection keeps its place without a request.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// How many connections the server has at once.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Of one network: an IPv4 address, or a /64 of IPv6 addresses.
    pub per_network: usize,
    /// In all.
    pub total: usize,
    /// Further ones, for `/healthz` alone.
    pub reserve: usize,
    /// A proxy brings everybody's requests, so it has no limit of its own.
    pub trusted_proxies: TrustedProxies,
}

/// The connections that are open.
#[derive(Debug)]
pub(super) struct Connections {
    limits: ConnectionLimits,
    open: Mutex<OpenConnections>,
    /// A connection has ended.
    ended: Notify,
    /// The zero of [`ConnectionState::idle_since`].
    start: Instant,
}

#[derive(Debug, Default)]
struct OpenConnections {
    next_id: u64,
    all: HashMap<u64, Arc<ConnectionState>>,
    /// How many of them were not asked to end.
    staying: usize,
    /// How many of those each network has.
    per_network: HashMap<IpAddr, usize>,
}

/// What the limits know of a connection.
#[derive(Debug)]
pub(super) struct ConnectionState {
    /// `None`: a trusted proxy.
    network: Option<IpAddr>,
    /// Microseconds since the start of the server, at least 1; 0 while a request is under way. A new connection is idle
    /// once its first request has had [`FIRST_REQUEST`] to come.
    idle_since: AtomicU64,
    asked_to_end: AtomicBool,
    /// Wakes the task that waits for the next request.
    pub waker: AtomicWaker,
}

impl ConnectionState {
    fn is_idle_at(&self, micros: u64) -> bool {
        (1..=micros).contains(&self.idle_since.load(Ordering::Acquire))
    }

    /// Whether the connection must end before its next request.
    pub fn is_asked_to_end(&self) -> bool {
        self.asked_to_end.load(Ordering::Acquire)
    }
}

/// A place for a new connection.
#[derive(Debug)]
pub(super) enum Admission {
    Open(ConnectionSlot),
    /// One that may ask for `/healthz` alone.
    HealthOnly(ConnectionSlot),
    /// The network has as many as it may, and a request is under way on each.
    Refused,
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    connections: Arc<Connections>,
    id: u64,
    pub state: Arc<ConnectionState>,
}

impl Connections {
    pub fn new(limits: ConnectionLimits) -> Self {
        Self { limits, open: Mutex::default(), ended: Notify::new(), start: Instant::now() }
    }

    /// Finds a place for a connection of this address, if need be that of the connection that has been idle longest.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Admission {
        let limits = &self.limits;
        let network = (!limits.trusted_proxies.contains(address)).then(|| network(address));
        let now = self.micros(Instant::now());
        let mut open = self.open();
        let of_network = network.and_then(|network| open.per_network.get(&network)).copied().unwrap_or(0);
        if of_network >= limits.per_network && !open.end_longest_idle(now, |other| other.network == network) {
            return Admission::Refused;
        }
        if open.staying < limits.total || open.end_longest_idle(now, |_| true) {
            Admission::Open(self.slot(&mut open, network))
        } else {
            Admission::HealthOnly(self.slot(&mut open, network))
        }
    }

    /// Waits until there is a place, if only one for `/healthz`.
    pub async fn place(&self) {
        let places = self.limits.total + self.limits.reserve;
        self.until(|open| open.all.len() < places).await;
    }

    pub fn are_open(&self) -> bool {
        !self.open().all.is_empty()
    }

    /// Waits until every connection has ended.
    pub async fn all_ended(&self) {
        self.until(|open| open.all.is_empty()).await;
    }

    /// Wakes the task of each connection: what it waits for has changed.
    pub fn wake_all(&self) {
        for state in self.open().all.values() {
            state.waker.wake();
        }
    }

    async fn until(&self, reached: impl Fn(&OpenConnections) -> bool) {
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            // From here on no end is missed.
            ended.as_mut().enable();
            if reached(&self.open()) {
                return;
            }
            ended.await;
        }
    }

    fn slot(self: &Arc<Self>, open: &mut OpenConnections, network: Option<IpAddr>) -> ConnectionSlot {
        let (idle_since, asked_to_end, waker) =
            (self.micros(Instant::now() + FIRST_REQUEST).into(), AtomicBool::new(false), AtomicWaker::new());
        let state = Arc::new(ConnectionState { network, idle_since, asked_to_end, waker });
        let id = open.add(state.clone());
        ConnectionSlot { connections: self.clone(), id, state }
    }

    fn micros(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.start).as_micros()).unwrap_or(u64::MAX).max(1)
    }

    fn open(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConnections {
    fn add(&mut self, state: Arc<ConnectionState>) -> u64 {
        if let Some(network) = state.network {
            *self.per_network.entry(network).or_default() += 1;
        }
        self.staying += 1;
        self.next_id += 1;
        self.all.insert(self.next_id, state);
        self.next_id
    }

    fn remove(&mut self, id: u64) {
        if let Some(state) = self.all.remove(&id)
            && !state.is_asked_to_end()
        {
            self.uncount(&state);
        }
    }

    /// Asks one idle connection to end. False if a request is under way on each.
    fn end_longest_idle(&mut self, now: u64, of: impl Fn(&ConnectionState) -> bool) -> bool {
        let idle = self.all.values().filter(|state| state.is_idle_at(now) && !state.is_asked_to_end() && of(state));
        let longest = idle.min_by_key(|state| state.idle_since.load(Ordering::Acquire)).cloned();
        longest.is_some_and(|state| {
            state.asked_to_end.store(true, Ordering::Release);
            self.uncount(&state);
            state.waker.wake();
            true
        })
    }

    fn uncount(&mut self, state: &ConnectionState) {
        self.staying -= 1;
        if let Some(network) = state.network
            && let Some(count) = self.per_network.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                self.per_network.remove(&network);
            }
        }
    }
}

impl ConnectionSlot {
    /// A request begins.
    pub fn busy(&self) {
        self.state.idle_since.store(0, Ordering::Release);
    }

    /// A request has been answered.
    pub fn idle(&self, since: Instant) {
        self.state.idle_since.store(self.connections.micros(since), Ordering::Release);
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.connections.open().remove(self.id);
        self.connections.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
