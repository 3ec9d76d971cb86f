//! The fields of the capacity view.

use std::fmt;

use super::demand::Demand;
use crate::units::grouped;

#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    /// The value at first.
    pub usual: &'static str,
    least: f64,
    most: f64,
    whole: bool,
}

/// In the order of the form.
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

/// Text in a field that is no number of its range. Displayed, it says what to type.
#[derive(Clone, Copy, Debug)]
pub struct FieldError(Field);

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Field { label, least, most, whole, .. } = self.0;
        let kind = if whole { "a whole number" } else { "a number" };
        write!(f, "{label}: type {kind} from {} to {}.", grouped(least), grouped(most))
    }
}

impl Field {
    /// The typed number. Thousands may be set apart.
    pub fn read(&self, typed: &str) -> Result<f64, FieldError> {
        let plain: String =
            typed.chars().filter(|c| !matches!(c, ',' | '_' | '\'' | ' ' | '\u{a0}' | '\u{202f}')).collect();
        let fits = |number: &f64| (self.least..=self.most).contains(number) && (!self.whole || number.fract() == 0.0);
        plain.parse().ok().filter(fits).ok_or(FieldError(*self))
    }
}

impl Demand {
    /// From the texts of [`FIELDS`], in their order. Fails with every field that is wrong.
    pub fn read(typed: &[String; 5]) -> Result<Self, Vec<FieldError>> {
        let read: Vec<_> = FIELDS.iter().zip(typed).map(|(field, typed)| field.read(typed)).collect();
        if let [Ok(users), Ok(devices), Ok(requests), Ok(nodes), Ok(round_trip_ms)] = read[..] {
            return Ok(Self { users, devices, requests, nodes, round_trip_ms });
        }
        Err(read.into_iter().filter_map(Result::err).collect())
    }
}
