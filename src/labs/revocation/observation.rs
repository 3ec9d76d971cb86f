//! What the probes of one node show about a revoked login.

use std::time::Instant;

use serde::Serialize;

use super::prober::Probes;

/// What one node answered after the revoke was answered. It still accepted the login at `last_accept_ms` and refused it
/// at `refused_from_ms`. Between the two its answer is unknown: no probe was sent, or none was answered.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Observation {
    pub probes: u64,
    pub accepted: u64,
    /// Probes that were neither accepted nor refused.
    pub unavailable: u64,
    /// Probes that were due and not sent, because too many others were in flight.
    pub skipped: u64,
    /// When the last accepted probe was sent, in milliseconds. Zero: none was accepted.
    pub last_accept_ms: f64,
    /// When the first probe was sent that was refused and after which none was accepted, in milliseconds.
    pub refused_from_ms: Option<f64>,
}

impl Observation {
    /// Whether no probe was accepted or refused: then the absence of acceptances proves nothing.
    pub fn is_silent(&self) -> bool {
        self.probes == self.unavailable
    }

    /// Whether the node accepted the last probe that it answered: the staleness is at least `last_accept_ms`.
    pub fn still_accepted(&self) -> bool {
        self.accepted > 0 && self.refused_from_ms.is_none()
    }

    /// Of the probes that were sent after `answered`.
    pub(super) fn of(sent: &Probes, answered: Instant) -> Self {
        let skipped = sent.skipped.iter().filter(|due| **due > answered).count() as u64;
        let mut observed = Self { skipped, ..Self::default() };
        let mut probes: Vec<_> = sent.probes.iter().filter(|probe| probe.sent_at > answered).collect();
        // They stand in the order of their answers.
        probes.sort_by_key(|probe| probe.sent_at);
        for probe in probes {
            let ms = (probe.sent_at - answered).as_secs_f64() * 1e3;
            observed.probes += 1;
            match probe.accepted {
                Some(true) => {
                    observed.accepted += 1;
                    observed.last_accept_ms = ms;
                    observed.refused_from_ms = None;
                }
                Some(false) => {
                    observed.refused_from_ms.get_or_insert(ms);
                }
                None => observed.unavailable += 1,
            }
        }
        observed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::labs::revocation::prober::Probe;

    const ACCEPTED: Option<bool> = Some(true);
    const REFUSED: Option<bool> = Some(false);

    /// Of probes, each sent this many milliseconds after the answer to the revoke, in the order of their answers.
    fn observe(answers: &[(u64, Option<bool>)]) -> Observation {
        let begun = Instant::now();
        let probe =
            |(ms, accepted): &(u64, _)| Probe { sent_at: begun + Duration::from_millis(*ms), accepted: *accepted };
        let before = Probe { sent_at: begun, accepted: ACCEPTED };
        let probes = [before].into_iter().chain(answers.iter().map(probe)).collect();
        Observation::of(&Probes { probes, skipped: Vec::new() }, begun)
    }

    #[test]
    fn between_the_last_accepted_and_the_first_refused_probe_nothing_is_known() {
        let gap = observe(&[(8, REFUSED), (9, REFUSED)]);
        assert_eq!((gap.accepted, gap.last_accept_ms, gap.refused_from_ms), (0, 0.0, Some(8.0)));
        let gap = observe(&[(1, ACCEPTED), (2, None), (7, REFUSED), (8, REFUSED)]);
        assert_eq!((gap.last_accept_ms, gap.refused_from_ms, gap.unavailable), (1.0, Some(7.0), 1));
        assert!(!gap.still_accepted());
    }

    #[test]
    fn a_refusal_before_an_acceptance_does_not_count() {
        // And the answers came in another order than the probes.
        let seen = observe(&[(4, REFUSED), (1, REFUSED), (3, ACCEPTED), (2, REFUSED), (5, REFUSED)]);
        assert_eq!((seen.last_accept_ms, seen.refused_from_ms), (3.0, Some(4.0)));
    }

    #[test]
    fn a_login_that_is_accepted_to_the_end_has_no_first_refusal() {
        let seen = observe(&[(1, REFUSED), (2, ACCEPTED), (3, ACCEPTED), (4, None)]);
        assert_eq!((seen.last_accept_ms, seen.refused_from_ms), (3.0, None));
        assert!(seen.still_accepted());
    }

    #[test]
    fn without_an_acceptance_or_a_refusal_nothing_is_known() {
        let seen = observe(&[(1, None), (2, None)]);
        assert!(seen.is_silent() && !seen.still_accepted());
        assert_eq!(seen.refused_from_ms, None);
    }
}
