//! What a whole site needs under each strategy: arithmetic on measured figures.
//!
//! We assume that requests arrive at random, spread evenly over logins and nodes.
//!
//! `form.rs` reads the fields of the page, `demand.rs` holds the load that they describe.

mod demand;
mod form;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use self::demand::Demand;
pub use self::form::{FIELDS, Field, FieldError};
use super::figures::StrategyFigures;
use crate::auth::{Description, Promise};

/// What a strategy needs to meet a demand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Capacity {
    pub stored_bytes: f64,
    /// Calls of all nodes to the store, a second.
    pub operations: f64,
    /// Upkeep events among them, such as sliding writes, a second. One may take several calls.
    pub upkeep: f64,
    /// The share of the requests that miss: their node has no copy of the login.
    pub misses: f64,
    /// The mean time that a request waits for the network to the store.
    pub wait_ms: f64,
    /// Cores of all nodes that are busy with checks.
    pub cores: f64,
    pub cores_are: Cores,
    /// Bandwidth of the credentials, in bits a second.
    pub bits: f64,
    /// The worst staleness of another node, if everything works.
    pub staleness_ms: Option<f64>,
    /// Whether the node still accepted the login when the measurement ended.
    pub staleness_at_least: bool,
    /// The worst staleness with the push channel cut.
    pub bound_ms: Option<f64>,
    /// Whether the demand cannot be met: only one of several nodes knows a login.
    pub one_node_only: bool,
}

/// What the figure for the cores is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cores {
    /// Processor time.
    Measured,
    /// The whole time of a check, with waiting.
    AtMost,
    /// Hits only: misses were not measured.
    AtLeast,
}

#[allow(clippy::cast_precision_loss)] // bytes and milliseconds far below 2^52
pub fn capacity(demand: &Demand, row: &StrategyFigures, description: &Description) -> Capacity {
    let upkeep = upkeep(demand, description);
    let misses = misses(demand, description, upkeep);
    let calls_of_upkeep = description.upkeep.map_or(0.0, |upkeep| f64::from(upkeep.calls));
    // Where nodes keep copies, the measured calls depend on the hit rate of the measurement.
    let calls = if description.max_copies.is_some() { misses } else { row.store_calls };
    let operations = demand.requests * calls + upkeep * calls_of_upkeep;
    let (check_ns, cores_are) = check_ns(row, misses);
    let expires = description.promise.only_expires();
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

/// Upkeep events a second.
#[allow(clippy::cast_precision_loss)] // milliseconds far below 2^52
fn upkeep(demand: &Demand, description: &Description) -> f64 {
    description.upkeep.map_or(0.0, |upkeep| {
        let each = if upkeep.by_user { demand.users } else { demand.logins() };
        demand.first_after(each, upkeep.every_ms as f64 / 1e3)
    })
}

/// A write evicts the copies of a login. Until the next write, each node that checks the login misses once. With more
/// logins than it can keep, a node also misses the share that it does not keep.
#[allow(clippy::cast_precision_loss)] // milliseconds and logins far below 2^52
fn misses(demand: &Demand, description: &Description, writes: f64) -> f64 {
    let (Some(copies), true) = (description.max_copies, demand.requests > 0.0) else { return 0.0 };
    let every = description.upkeep.map_or(0.0, |upkeep| upkeep.every_ms as f64 / 1e3);
    let checks = demand.requests / demand.logins() * every;
    // The probability that a node does not check a login in that time.
    let quiet = (-checks / demand.nodes).exp();
    // The request that writes misses too, if its node was quiet.
    let after_a_write = demand.nodes * (1.0 - quiet) + quiet;
    let without_room = 1.0 - (copies as f64 / demand.logins()).min(1.0);
    (writes / demand.requests * after_a_write).clamp(without_room, 1.0)
}

/// What a user's logins share is stored once for each user.
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
        // The measurement contains misses.
        _ if row.store_calls > 0.0 => (hit, Cores::AtMost),
        Some(miss) => (hit + misses * (miss - hit).max(0.0), Cores::AtMost),
        None => (hit, Cores::AtLeast),
    }
}
