//! Times of single calls, and what they come to.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::labs::figures::Spread;
use crate::units::quantile;

/// How the times of a call are spread, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// 5 % are below.
    pub p5: f64,
    /// Half of them are below.
    pub p50: f64,
    /// 95 % are below.
    pub p95: f64,
    /// 99 % are below.
    pub p99: f64,
    /// All of them together, divided by their number.
    pub mean: f64,
}

impl Percentiles {
    /// As the figures have it.
    pub fn interval(&self) -> Spread {
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
    pub fn spread(&mut self) -> Percentiles {
        self.0.sort_unstable();
        let ns = |took: Duration| took.as_nanos() as f64;
        let at = |percent| quantile(&self.0, percent).map(ns).unwrap_or_default();
        let mean = ns(self.0.iter().sum()) / self.0.len().max(1) as f64;
        Percentiles { p5: at(5), p50: at(50), p95: at(95), p99: at(99), mean }
    }
}

/// How long calls of one kind are repeated.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub most: usize,
    pub time: Duration,
}

impl Budget {
    /// This many are made, whatever time they take.
    const LEAST: usize = 30;

    /// Whether one more is made.
    pub fn allows(self, made: usize, begun: Instant) -> bool {
        made < Self::LEAST.min(self.most) || (made < self.most && begun.elapsed() < self.time)
    }
}

/// The same order at every run, and none that a cache or a branch predictor knows.
pub(super) struct Shuffle(u64);

impl Shuffle {
    pub fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// A number below `end` (xorshift64).
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or_default() % end.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_of_a_hundred_times() {
        let mut samples = Samples((1..=100).rev().map(Duration::from_nanos).collect());
        let spread = Percentiles { p5: 5.0, p50: 50.0, p95: 95.0, p99: 99.0, mean: 50.5 };
        assert_eq!(samples.spread(), spread);
        assert_eq!(Samples::default().spread(), Percentiles::default());
    }
}
