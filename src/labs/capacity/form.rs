//! What is typed into the capacity sheet.

use super::Demand;
use crate::units::grouped;

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
        most: 100.0,
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
