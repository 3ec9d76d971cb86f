//! Which logins are asked for, and in which order.

use super::Conditions;
use super::samples::Shuffle;

/// How many questions are asked, at the most; where many are to be of logins that nobody asked for yet, fewer.
const QUESTIONS: usize = 2000;
const QUESTIONS_WITH_MISSES: usize = 500;

/// How many logins are asked for, at the most: the others only have to be there.
const ASKED_FOR: usize = 1000;

/// How many questions are counted.
const COUNTED: usize = 100;

/// How many questions, and how many of them of logins that nobody asked for yet.
#[derive(Clone, Copy)]
pub(super) struct ProbePlan {
    /// That are timed.
    pub probes: usize,
    cold: usize,
}

impl ProbePlan {
    pub fn new(conditions: &Conditions) -> Self {
        let misses = 100 - usize::from(conditions.hit_rate.min(100));
        let questions = if misses == 0 { QUESTIONS } else { QUESTIONS_WITH_MISSES };
        Self { probes: questions, cold: ((questions + COUNTED) * misses).div_ceil(100) }
    }

    /// Logins that are asked for a first time are more than those that are wanted, if those are few.
    pub fn opened(self, conditions: &Conditions) -> usize {
        let wanted = conditions.logins.max(1);
        if wanted > 2 * self.cold { wanted } else { wanted + self.cold }
    }

    /// Which login each question is of: so many that were asked for before, the others each once.
    pub fn order(self, opened: usize) -> Vec<usize> {
        let warm = self.warm(opened);
        let mut shuffle = Shuffle::new();
        let mut cold = (warm..opened).take(self.cold);
        let total = self.probes + COUNTED;
        let place = |question| {
            let fresh = shuffle.below(total - question) < cold.len();
            if fresh { cold.next().unwrap_or_default() } else { shuffle.below(warm) }
        };
        (0..total).map(place).collect()
    }

    /// How many are asked for before.
    pub fn warm(self, opened: usize) -> usize {
        opened.saturating_sub(self.cold).clamp(1, ASKED_FOR)
    }

    /// How many logins are enough where none has to be stored.
    pub fn enough(self) -> usize {
        ASKED_FOR + self.cold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_questions_miss_as_the_hit_rate_says() {
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
            assert_eq!(once.len(), cold.len(), "a login is asked for a first time once");
            assert!(order.iter().all(|place| *place < opened) && opened >= wanted);
            let misses = usize::from(100 - hit_rate);
            assert_eq!(cold.len(), (order.len() * misses).div_ceil(100), "{hit_rate} % of {wanted}");
        }
    }
}
