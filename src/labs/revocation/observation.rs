//! What the answers of one node say about a login that was revoked.

use std::time::Instant;

use serde::Serialize;

use super::prober::Probes;

/// What one node answered after the revoke was answered. The login was still good at `last_accept_ms`, and no longer at
/// `refused_from_ms`; of the time between the two nothing is known, because nobody asked or nobody answered.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Observation {
    /// How many questions were asked.
    pub probes: u64,
    /// How many of them were accepted.
    pub accepted: u64,
    /// How many got neither yes nor no.
    pub unavailable: u64,
    /// How often a question was due and was not asked, because too many others waited for their answers.
    pub skipped: u64,
    /// When the last accepted one was asked, in milliseconds. Zero: none was accepted.
    pub last_accept_ms: f64,
    /// When the first one was asked that was refused and after which none was accepted, in milliseconds. `None`: there
    /// was none.
    pub refused_from_ms: Option<f64>,
}

impl Observation {
    /// Whether no question got a yes or a no: that nothing was accepted proves nothing.
    pub fn is_silent(&self) -> bool {
        self.probes == self.unavailable
    }

    /// Whether the last answer was a yes: the asking ended first, and the login was good for `last_accept_ms` at least.
    pub fn still_accepted(&self) -> bool {
        self.accepted > 0 && self.refused_from_ms.is_none()
    }

    /// Of what was asked after the moment `answered`.
    pub(super) fn of(asked: &Probes, answered: Instant) -> Self {
        let left_out = asked.skipped.iter().filter(|due| **due > answered).count() as u64;
        let mut reading = Self { skipped: left_out, ..Self::default() };
        let mut probes: Vec<_> = asked.probes.iter().filter(|probe| probe.sent_at > answered).collect();
        // They came in the order of their answers.
        probes.sort_by_key(|probe| probe.sent_at);
        for probe in probes {
            let late = (probe.sent_at - answered).as_secs_f64() * 1e3;
            reading.probes += 1;
            match probe.accepted {
                Some(true) => {
                    reading.accepted += 1;
                    reading.last_accept_ms = late;
                    reading.refused_from_ms = None;
                }
                Some(false) => {
                    reading.refused_from_ms.get_or_insert(late);
                }
                None => reading.unavailable += 1,
            }
        }
        reading
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::labs::revocation::prober::Probe;

    const YES: Option<bool> = Some(true);
    const NO: Option<bool> = Some(false);

    /// Of questions that were asked so many milliseconds after the answer to the revoke, in the order of their answers.
    fn reading(answers: &[(u64, Option<bool>)]) -> Observation {
        let begun = Instant::now();
        let probe =
            |(ms, accepted): &(u64, _)| Probe { sent_at: begun + Duration::from_millis(*ms), accepted: *accepted };
        // The first one was asked before.
        let before = Probe { sent_at: begun, accepted: YES };
        let probes = [before].into_iter().chain(answers.iter().map(probe)).collect();
        Observation::of(&Probes { probes, skipped: Vec::new() }, begun)
    }

    #[test]
    fn what_nobody_asked_for_lies_between_the_last_yes_and_the_first_no() {
        // Refused at the first question, and that came late.
        let gap = reading(&[(8, NO), (9, NO)]);
        assert_eq!((gap.accepted, gap.last_accept_ms, gap.refused_from_ms), (0, 0.0, Some(8.0)));
        let gap = reading(&[(1, YES), (2, None), (7, NO), (8, NO)]);
        assert_eq!((gap.last_accept_ms, gap.refused_from_ms, gap.unavailable), (1.0, Some(7.0), 1));
        assert!(!gap.still_accepted());
    }

    #[test]
    fn a_no_before_a_yes_is_not_the_end_of_it() {
        // And the answers came in another order than the questions.
        let reading = reading(&[(4, NO), (1, NO), (3, YES), (2, NO), (5, NO)]);
        assert_eq!((reading.last_accept_ms, reading.refused_from_ms), (3.0, Some(4.0)));
    }

    #[test]
    fn a_login_that_is_accepted_to_the_end_has_no_end() {
        let reading = reading(&[(1, NO), (2, YES), (3, YES), (4, None)]);
        assert_eq!((reading.last_accept_ms, reading.refused_from_ms), (3.0, None));
        assert!(reading.still_accepted());
    }

    #[test]
    fn without_a_yes_or_a_no_nothing_is_known() {
        let reading = reading(&[(1, None), (2, None)]);
        assert!(reading.is_silent() && !reading.still_accepted());
        assert_eq!(reading.refused_from_ms, None);
    }
}
