//! All trials of one node together.

use super::observation::Observation;
use super::report::{RefusalPercentiles, StalenessPercentiles};
use crate::units::quantile;

#[derive(Default)]
pub(super) struct Outcomes {
    pub probes: u64,
    pub accepted: u64,
    pub unavailable: u64,
    pub skipped: u64,
    pub still_accepted: u64,
    /// The staleness of each trial, in milliseconds.
    staleness: Vec<f64>,
    /// The first refusal of each trial, in milliseconds; infinite without one.
    refused_from: Vec<f64>,
}

impl Outcomes {
    pub fn add(&mut self, observed: Observation) {
        self.probes += observed.probes;
        self.accepted += observed.accepted;
        self.unavailable += observed.unavailable;
        self.skipped += observed.skipped;
        self.still_accepted += u64::from(observed.still_accepted());
        self.staleness.push(observed.last_accept_ms);
        self.refused_from.push(observed.refused_from_ms.unwrap_or(f64::INFINITY));
    }

    pub fn staleness(&self) -> StalenessPercentiles {
        let [p50, p99, max] = quantiles(&self.staleness).map(Option::unwrap_or_default);
        StalenessPercentiles { p50, p99, max }
    }

    pub fn refusals(&self) -> RefusalPercentiles {
        let [p50, p99, max] = quantiles(&self.refused_from).map(|ms| ms.filter(|ms| ms.is_finite()));
        RefusalPercentiles { p50, p99, max }
    }

    #[allow(clippy::cast_precision_loss)] // bounds are far below 2^52 ms
    pub fn within(&self, bound_ms: u64) -> bool {
        self.still_accepted == 0 && self.staleness.iter().all(|ms| *ms <= bound_ms as f64)
    }
}

/// The median, 99 % and the worst.
fn quantiles(trials: &[f64]) -> [Option<f64>; 3] {
    let mut sorted = trials.to_vec();
    sorted.sort_by(f64::total_cmp);
    [50, 99, 100].map(|percent| quantile(&sorted, percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(trials: &[(f64, Option<f64>)]) -> Outcomes {
        let mut outcomes = Outcomes::default();
        for (last_accept_ms, refused_from_ms) in trials.iter().copied() {
            let accepted = u64::from(last_accept_ms > 0.0);
            outcomes.add(Observation {
                probes: 2,
                accepted,
                last_accept_ms,
                refused_from_ms,
                ..Observation::default()
            });
        }
        outcomes
    }

    #[test]
    fn a_login_that_was_still_accepted_is_not_within_any_bound() {
        let good = outcomes(&[(0.0, Some(0.1)), (20.0, Some(20.5))]);
        assert!(good.within(500) && !good.within(0));
        let still = outcomes(&[(0.0, Some(0.1)), (20.0, None)]);
        assert_eq!(still.still_accepted, 1);
        assert!(!still.within(500), "what came after 20 ms is not known");
    }

    #[test]
    fn a_trial_without_a_refusal_is_later_than_all_others() {
        let some = outcomes(&[(5.0, None), (0.0, Some(8.0)), (0.0, Some(0.5))]);
        assert_eq!(some.refusals(), RefusalPercentiles { p50: Some(8.0), p99: None, max: None });
        let all = outcomes(&[(0.0, Some(8.0)), (0.0, Some(0.5))]);
        assert_eq!(all.refusals(), RefusalPercentiles { p50: Some(0.5), p99: Some(8.0), max: Some(8.0) });
    }
}
