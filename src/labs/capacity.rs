//! From unit costs to a whole site: arithmetic on measured figures, nothing else.

use serde::Serialize;

use super::figures::Row;
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

/// A field of the form.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in the address.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// What stands in it first.
    pub usual: &'static str,
    least: f64,
    most: f64,
    whole: bool,
}

/// All of them, in the order of the form.
pub const FIELDS: [Field; 5] = [
    Field { name: "users", label: "Users", usual: "100,000", least: 1.0, most: 1e10, whole: true },
    Field { name: "devices", label: "Devices per user", usual: "2", least: 1.0, most: 1000.0, whole: false },
    Field { name: "requests", label: "Requests per second", usual: "1,000", least: 0.0, most: 1e9, whole: false },
    Field { name: "nodes", label: "Nodes", usual: "4", least: 1.0, most: 100_000.0, whole: true },
    Field {
        name: "round_trip",
        label: "Round trip to the store (ms)",
        usual: "0.5",
        least: 0.0,
        most: 10_000.0,
        whole: false,
    },
];

impl Field {
    /// What was typed, as a number. Thousands may be set apart.
    pub fn read(&self, typed: &str) -> Result<f64, String> {
        let plain: String =
            typed.chars().filter(|c| !matches!(c, ',' | '_' | '\'' | ' ' | '\u{a0}' | '\u{202f}')).collect();
        let good = |number: &f64| (self.least..=self.most).contains(number) && (!self.whole || number.fract() == 0.0);
        plain.parse().ok().filter(good).ok_or_else(|| {
            let kind = if self.whole { "a whole number" } else { "a number" };
            format!("{}: type {kind} from {} to {}.", self.label, grouped(self.least), grouped(self.most))
        })
    }
}

impl Demand {
    /// From what was typed into [`FIELDS`], in their order; every sentence that has to be said.
    pub fn read(typed: &[String; 5]) -> Result<Self, Vec<String>> {
        let read: Vec<_> = FIELDS.iter().zip(typed).map(|(field, typed)| field.read(typed)).collect();
        if let [Ok(users), Ok(devices), Ok(requests), Ok(nodes), Ok(round_trip_ms)] = read[..] {
            return Ok(Self { users, devices, requests, nodes, round_trip_ms });
        }
        Err(read.into_iter().filter_map(Result::err).collect())
    }
}

/// What a strategy needs to meet a demand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// In the store, in bytes.
    pub stored_bytes: f64,
    /// To the store, a second, of all nodes.
    pub operations: f64,
    /// What a request waits for the store's answers to travel, in milliseconds.
    pub wait_ms: f64,
    /// Exchanges of a credential that expired for the next one, a second, of all nodes.
    pub renewals: f64,
    /// Busy with authentication, of all nodes.
    pub cores: f64,
    /// Whether that is the processor's time; else it is the whole time of a check, waiting included: an upper bound.
    pub cores_measured: bool,
    /// Of credentials, in bits a second.
    pub bits: f64,
    /// The longest that another node accepts a revoked login, in milliseconds, if everything works.
    pub staleness_ms: Option<f64>,
    /// The same with the push channel cut.
    pub bound_ms: Option<f64>,
    /// Whether the demand cannot be met: several nodes, and a login that only one of them knows.
    pub one_node_only: bool,
}

/// Answers for one strategy.
#[allow(clippy::cast_precision_loss)] // bytes and milliseconds far below 2^52
pub fn capacity(demand: &Demand, row: &Row, description: &Description) -> Capacity {
    let operations = demand.requests * row.store_calls;
    let check_ns = row.cpu_ns.or(row.identify_mean_ns).unwrap_or(row.identify_ns.median);
    let measured = row.staleness_ms.map(|staleness| staleness.worst);
    let (staleness_ms, bound_ms) = match description.promise {
        Promise::Immediate => (measured, None),
        // What is pushed travels one way.
        Promise::Push { bound_ms } => (
            measured.map(|worst| worst + demand.round_trip_ms / 2.0),
            Some(bound_ms as f64 + demand.round_trip_ms / 2.0),
        ),
        Promise::Expiry { bound_ms } => (Some(bound_ms as f64), None),
    };
    let logins = demand.users * demand.devices;
    Capacity {
        stored_bytes: if description.kept_by_user { demand.users } else { logins } * row.stored_bytes as f64,
        operations,
        wait_ms: row.store_calls * demand.round_trip_ms,
        renewals: match description.promise {
            // A login renews at its first request after the token's end: once in a life and a pause between requests.
            Promise::Expiry { bound_ms } if description.carrier.renewal.is_some() => {
                logins / (bound_ms as f64 / 1e3 + logins / demand.requests)
            }
            _ => 0.0,
        },
        cores: demand.requests * check_ns / 1e9,
        cores_measured: row.cpu_ns.is_some(),
        bits: demand.requests * row.request_bytes as f64 * 8.0,
        staleness_ms,
        bound_ms,
        one_node_only: !description.shared && demand.nodes > 1.0,
    }
}

/// A number with its thousands set apart: as many digits as say something.
pub fn grouped(number: f64) -> String {
    let text = match number {
        n if n == 0.0 || n >= 100.0 => format!("{n:.0}"),
        n if n.fract() == 0.0 => format!("{n:.0}"),
        n if n >= 10.0 => format!("{n:.1}"),
        n if n >= 0.1 => format!("{n:.2}"),
        n if n >= 0.0001 => format!("{n:.4}"),
        _ => "less than 0.0001".to_owned(),
    };
    let whole = text.find('.').unwrap_or(text.len());
    if number < 1000.0 {
        return text;
    }
    let mut set_apart = String::new();
    for (place, digit) in text[..whole].char_indices() {
        if place > 0 && (whole - place) % 3 == 0 {
            set_apart.push(',');
        }
        set_apart.push(digit);
    }
    set_apart + &text[whole..]
}

/// Bytes in the unit that they are read in.
pub fn bytes(bytes: f64) -> String {
    scaled(bytes, &["B", "kB", "MB", "GB", "TB", "PB"])
}

/// Bits a second.
pub fn bits(bits: f64) -> String {
    scaled(bits, &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"])
}

fn scaled(mut value: f64, units: &[&str]) -> String {
    let mut place = 0;
    while value >= 1000.0 && place + 1 < units.len() {
        value /= 1000.0;
        place += 1;
    }
    let number =
        if value == 0.0 || value >= 100.0 || place == 0 { format!("{value:.0}") } else { format!("{value:.1}") };
    format!("{number} {}", units[place])
}

#[cfg(test)]
#[path = "capacity_tests.rs"]
mod tests;
