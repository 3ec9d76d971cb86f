//! A logarithmic axis.

use serde::Serialize;

/// Converts values to coordinates. `from` may be larger than `to`.
pub(super) struct LogScale {
    /// Powers of ten.
    first: i32,
    last: i32,
    from: f64,
    to: f64,
}

/// A mark on an axis.
#[derive(Debug, Serialize)]
pub struct Tick {
    pub at: f64,
    /// Empty at some marks, to save room.
    pub label: String,
}

impl LogScale {
    /// Spreads whole powers of ten around `lowest` and `highest` over the coordinates `from` to `to`.
    #[allow(clippy::cast_possible_truncation)] // powers of ten of a time
    pub fn new(lowest: f64, highest: f64, from: f64, to: f64) -> Self {
        let first = lowest.log10().floor() as i32;
        let last = (highest.log10().ceil() as i32).max(first + 1);
        Self { first, last, from, to }
    }

    /// The coordinate of a value.
    pub fn at(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        tenth(self.from + share * (self.to - self.from))
    }

    /// A mark at every power of ten, a label at every `each`th.
    pub fn ticks(&self, each: i32, label: impl Fn(f64) -> String) -> Vec<Tick> {
        let tick = |power: i32| {
            let value = 10_f64.powi(power);
            let label = if (power - self.first) % each == 0 { label(value) } else { String::new() };
            Tick { at: self.at(value), label }
        };
        (self.first..=self.last).map(tick).collect()
    }
}

/// Rounds to a tenth: more digits only make the page longer.
pub(super) fn tenth(coordinate: f64) -> f64 {
    (coordinate * 10.0).round() / 10.0
}
