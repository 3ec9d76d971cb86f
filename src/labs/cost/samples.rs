//! Times of single calls, and their percentiles.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::labs::figures::Spread;
use crate::units::quantile;

/// Nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    pub p5: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub mean: f64,
}

impl Percentiles {
    pub fn spread(&self) -> Spread {
        Spread { low: self.p5, median: self.p50, high: self.p95 }
    }
}

/// The times of calls of one kind.
#[derive(Debug, Default)]
pub(super) struct Samples(Vec<Duration>);

impl Samples {
    pub fn add(&mut self, begun: Instant) {
        self.0.push(begun.elapsed());
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[allow(clippy::cast_precision_loss)] // a call takes less than 2^52 ns
    pub fn percentiles(&mut self) -> Percentiles {
        self.0.sort_unstable();
        let ns = |took: Duration| took.as_nanos() as f64;
        let at = |percent| quantile(&self.0, percent).map(ns).unwrap_or_default();
        let mean = ns(self.0.iter().sum()) / self.0.len().max(1) as f64;
        Percentiles { p5: at(5), p50: at(50), p95: at(95), p99: at(99), mean }
    }
}

/// How many calls of one kind are made, and how long.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub most: usize,
    pub time: Duration,
}

impl Budget {
    /// This many calls are made, however long they take.
    const LEAST: usize = 30;

    /// Whether one more call is made.
    pub fn allows(self, made: usize, begun: Instant) -> bool {
        made < Self::LEAST.min(self.most) || (made < self.most && begun.elapsed() < self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentiles_of_a_hundred_times() {
        let mut samples = Samples((1..=100).rev().map(Duration::from_nanos).collect());
        let expected = Percentiles { p5: 5.0, p50: 50.0, p95: 95.0, p99: 99.0, mean: 50.5 };
        assert_eq!(samples.percentiles(), expected);
        assert_eq!(Samples::default().percentiles(), Percentiles::default());
    }
}
