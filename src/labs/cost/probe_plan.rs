//! Which logins are checked, and in which order.

use super::setup::Conditions;

/// The maximum number of timed checks.
const TIMED: usize = 2000;

/// The same with misses, which need a new login each.
const TIMED_WITH_MISSES: usize = 500;

/// The maximum number of logins that are checked more than once: the others only have to be stored.
const WARM: usize = 1000;

/// How many checks have their store calls counted.
const COUNTED: usize = 100;

/// How many checks there are, and how many of them miss.
#[derive(Clone, Copy)]
pub(super) struct ProbePlan {
    /// Checks that are timed.
    pub probes: usize,
    cold: usize,
}

impl ProbePlan {
    pub fn new(conditions: &Conditions) -> Self {
        let misses = 100 - usize::from(conditions.hit_rate.min(100));
        let probes = if misses == 0 { TIMED } else { TIMED_WITH_MISSES };
        Self { probes, cold: ((probes + COUNTED) * misses).div_ceil(100) }
    }

    /// How many logins are opened: more than the conditions say, if these are too few for the misses.
    pub fn opened(self, conditions: &Conditions) -> usize {
        let wanted = conditions.logins.max(1);
        if wanted > 2 * self.cold { wanted } else { wanted + self.cold }
    }

    /// The login of each check: one that was checked before, or for a miss a new one.
    pub fn order(self, opened: usize) -> Vec<usize> {
        let warm = self.warm(opened);
        let mut random = random();
        let mut cold = (warm..opened).take(self.cold);
        let total = self.probes + COUNTED;
        let place = |number| {
            let misses = random.usize(..total - number) < cold.len();
            if misses { cold.next().unwrap_or_default() } else { random.usize(..warm) }
        };
        (0..total).map(place).collect()
    }

    /// How many logins are checked before the timed checks.
    pub fn warm(self, opened: usize) -> usize {
        opened.saturating_sub(self.cold).clamp(1, WARM)
    }

    /// How many logins are enough where none has to be stored.
    pub fn enough(self) -> usize {
        WARM + self.cold
    }
}

/// The same random order in every run.
pub(super) fn random() -> fastrand::Rng {
    fastrand::Rng::with_seed(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hit_rate_says_how_many_checks_miss() {
        for (hit_rate, wanted) in [(100, 1000), (90, 1000), (50, 10), (90, 10_000), (0, 10_000), (0, 1)] {
            let conditions = Conditions { hit_rate, logins: wanted, ..Conditions::default() };
            let plan = ProbePlan::new(&conditions);
            let opened = plan.opened(&conditions);
            let order = plan.order(opened);
            let warm = plan.warm(opened);
            let cold: Vec<_> = order.iter().filter(|place| **place >= warm).collect();
            let mut once = cold.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), cold.len(), "each miss has a login of its own");
            assert!(order.iter().all(|place| *place < opened) && opened >= wanted);
            let misses = usize::from(100 - hit_rate);
            assert_eq!(cold.len(), (order.len() * misses).div_ceil(100), "{hit_rate} % of {wanted}");
        }
    }
}
