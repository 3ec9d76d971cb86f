//! From unit costs to a whole site: arithmetic on measured figures, nothing else.
//!
//! Requests are taken to come at random, each login as often as any other, and each to any node.

mod form;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use self::form::{FIELDS, Field};
use super::figures::StrategyFigures;
use crate::auth::{Description, Promise};

/// What a site is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// Everybody who is logged in.
    pub users: f64,
    /// Logins of each.
    pub devices: f64,
    /// A second, of all users together.
    pub requests: f64,
    /// Servers.
    pub nodes: f64,
    /// From a server to the store and back, in milliseconds.
    pub round_trip_ms: f64,
}

impl Demand {
    fn logins(&self) -> f64 {
        self.users * self.devices
    }

    /// How often a second something happens that each of so many does at its first request after a while: once in that
    /// while and a pause between two requests.
    fn first_after(&self, each: f64, seconds: f64) -> f64 {
        if self.requests > 0.0 { each / (seconds + each / self.requests) } else { 0.0 }
    }
}

/// What a strategy needs to meet a demand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// In the store, in bytes.
    pub stored_bytes: f64,
    /// To the store, a second, of all nodes.
    pub operations: f64,
    /// How many of what goes to the store from time to time are among them, a second: of its kind, not calls.
    pub upkeep: f64,
    /// The share of the requests that finds no copy of its login on its node and asks the store.
    pub misses: f64,
    /// What a request waits for the store's answers to travel, in milliseconds: the mean.
    pub wait_ms: f64,
    /// Busy with authentication, of all nodes.
    pub cores: f64,
    /// What the figure for the cores is.
    pub cores_are: Cores,
    /// Of credentials, in bits a second.
    pub bits: f64,
    /// The longest that another node accepted a revoked login, in milliseconds, if everything works.
    pub staleness_ms: Option<f64>,
    /// Whether it went on when the measurement ended.
    pub staleness_at_least: bool,
    /// The same with the push channel cut.
    pub bound_ms: Option<f64>,
    /// Whether the demand cannot be met: several nodes, and a login that only one of them knows.
    pub one_node_only: bool,
}

/// What a figure for the cores is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cores {
    /// The processor's time.
    Measured,
    /// The whole time of a check, waiting included.
    AtMost,
    /// Checks that found a copy; what a miss takes was not measured.
    AtLeast,
}

/// Answers for one strategy.
#[allow(clippy::cast_precision_loss)] // bytes and milliseconds far below 2^52
pub fn capacity(demand: &Demand, row: &StrategyFigures, description: &Description) -> Capacity {
    let upkeep = upkeep(demand, description);
    let misses = misses(demand, description, upkeep);
    let calls_of_upkeep = description.upkeep.map_or(0.0, |upkeep| f64::from(upkeep.calls));
    // Where nodes keep copies, how many calls were measured depends on how many were found then.
    let calls = if description.max_copies.is_some() { misses } else { row.store_calls };
    let operations = demand.requests * calls + upkeep * calls_of_upkeep;
    let (check_ns, cores_are) = check_ns(row, misses);
    let expires = matches!(description.promise, Promise::Expiry { .. });
    let (staleness_ms, bound_ms) = match description.promise {
        Promise::Immediate => (row.staleness_ms.map(|staleness| staleness.worst), None),
        Promise::Push { bound_ms } => (row.staleness_ms.map(|staleness| staleness.worst), Some(bound_ms as f64)),
        Promise::Expiry { bound_ms } => (Some(bound_ms as f64), None),
    };
    Capacity {
        stored_bytes: stored_bytes(demand, row),
        operations,
        upkeep,
        misses,
        wait_ms: if demand.requests > 0.0 { operations / demand.requests * demand.round_trip_ms } else { 0.0 },
        cores: demand.requests * check_ns / 1e9,
        cores_are,
        bits: demand.requests * row.request_bytes as f64 * 8.0,
        staleness_ms,
        staleness_at_least: !expires && row.staleness_ms.is_some_and(|staleness| staleness.at_least),
        bound_ms,
        one_node_only: !description.shared && demand.nodes > 1.0,
    }
}

/// What goes to the store from time to time, a second.
#[allow(clippy::cast_precision_loss)] // milliseconds far below 2^52
fn upkeep(demand: &Demand, description: &Description) -> f64 {
    description.upkeep.map_or(0.0, |upkeep| {
        let each = if upkeep.by_user { demand.users } else { demand.logins() };
        demand.first_after(each, upkeep.every_ms as f64 / 1e3)
    })
}

/// A write evicts the copies of a login. Until the next one, each node that is asked for it misses once; and of more
/// logins than a node keeps, it misses the share that it does not keep.
#[allow(clippy::cast_precision_loss)] // milliseconds and logins far below 2^52
fn misses(demand: &Demand, description: &Description, writes: f64) -> f64 {
    let (Some(copies), true) = (description.max_copies, demand.requests > 0.0) else { return 0.0 };
    let every = description.upkeep.map_or(0.0, |upkeep| upkeep.every_ms as f64 / 1e3);
    let asked = demand.requests / demand.logins() * every;
    // That a node is not asked for a login in that time.
    let quiet = (-asked / demand.nodes).exp();
    // The request that writes finds no copy either, if its node was quiet.
    let after_a_write = demand.nodes * (1.0 - quiet) + quiet;
    let without_room = 1.0 - (copies as f64 / demand.logins()).min(1.0);
    (writes / demand.requests * after_a_write).clamp(without_room, 1.0)
}

/// What a user's logins share is there once for each user.
#[allow(clippy::cast_precision_loss)] // bytes far below 2^52
fn stored_bytes(demand: &Demand, row: &StrategyFigures) -> f64 {
    let further = row.stored_bytes.saturating_sub(row.user_bytes);
    demand.users * row.user_bytes as f64 + demand.logins() * further as f64
}

/// The mean of hits and misses, in nanoseconds.
fn check_ns(row: &StrategyFigures, misses: f64) -> (f64, Cores) {
    let whole = row.identify_mean_ns.unwrap_or(row.identify_ns.median);
    let (hit, known) = row.cpu_ns.map_or((whole, Cores::AtMost), |cpu| (cpu, Cores::Measured));
    match row.miss_ns {
        _ if misses <= 0.0 => (hit, known),
        // Some of what was measured were misses.
        _ if row.store_calls > 0.0 => (hit, Cores::AtMost),
        Some(miss) => (hit + misses * (miss - hit).max(0.0), Cores::AtMost),
        None => (hit, Cores::AtLeast),
    }
}
