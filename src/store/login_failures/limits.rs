//! How many failures in a row are allowed, and how long the next try must wait. No I/O.

use std::time::Duration;

use crate::clock::Timestamp;

/// The database forgets failures this long after the last one.
pub(super) const KEPT: Duration = Duration::from_hours(30 * 24);

/// The first pause; each further failure doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause. NIST SP 800-63B-4, 3.2.2, names the same two as an example.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// A limit of failures in a row.
struct FailureLimit {
    /// Up to this number a failure has no consequences.
    free: i64,
    /// After this number the server checks no further password.
    most: i64,
}

/// One network, or one known browser.
const OF_SOURCE: FailureLimit = FailureLimit { free: 10, most: 20 };

/// All networks together. The failures of a single one delay nobody else: it has no more than are free here.
/// NIST SP 800-63B-4, 3.2.2: at most 100.
const OF_ACCOUNT: FailureLimit = FailureLimit { free: OF_SOURCE.most, most: 100 };

/// Why the server does not check a password now, whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryRefusal {
    /// Until the next try may be made.
    pub retry: Duration,
    /// After too many failures: waiting for the usual pause does not help.
    pub closed: bool,
}

/// The failures before a try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failures {
    pub count: i64,
    /// The last one.
    pub at: Timestamp,
}

/// Judges a try. `own` are the failures of its network or known browser. `all` are those of all networks; `None` for a
/// known browser, which does not depend on them.
pub(super) fn judge(own: Failures, all: Option<Failures>, now: Timestamp) -> Option<TryRefusal> {
    let by_source = OF_SOURCE.judge(own, own.count, now);
    // What a network did itself its own limit has judged.
    let by_account = all.and_then(|all| OF_ACCOUNT.judge(all, all.count - own.count, now));
    by_source.into_iter().chain(by_account).max_by_key(|refusal| refusal.retry)
}

impl FailureLimit {
    /// `counted`: the number that decides on the pause.
    fn judge(&self, failures: Failures, counted: i64, now: Timestamp) -> Option<TryRefusal> {
        let closed = failures.count >= self.most;
        let wait = if closed { KEPT } else { self.pause(counted) };
        // The clock of the node that wrote the count may be ahead: nobody waits longer than the pause.
        let retry = (failures.at + wait).since(now).min(wait);
        (!retry.is_zero()).then_some(TryRefusal { retry, closed })
    }

    fn pause(&self, failures: i64) -> Duration {
        match u32::try_from(failures - self.free) {
            Err(_) | Ok(0) => Duration::ZERO,
            Ok(over) => FIRST_PAUSE.saturating_mul(1 << (over - 1).min(16)).min(LONGEST_PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn failures(count: i64) -> Failures {
        Failures { count, at: NOON }
    }

    fn wait(own: i64, all: Option<i64>) -> (u64, bool) {
        let refusal = judge(failures(own), all.map(failures), NOON);
        refusal.map_or((0, false), |refusal| (refusal.retry.as_secs(), refusal.closed))
    }

    #[test]
    fn pauses_grow_from_30_seconds_to_an_hour() {
        assert_eq!(wait(10, None), (0, false));
        assert_eq!([11, 12, 13, 17, 18, 19].map(|own| wait(own, None).0), [30, 60, 120, 1920, 3600, 3600]);
        assert_eq!(wait(20, None), (KEPT.as_secs(), true));
        assert_eq!([20, 21, 22, 99].map(|all| wait(0, Some(all)).0), [0, 30, 60, 3600]);
        assert_eq!(wait(0, Some(100)), (KEPT.as_secs(), true));
    }

    #[test]
    fn a_network_waits_for_the_failures_of_the_others() {
        assert_eq!(wait(10, Some(30)), (0, false), "twenty of them are the others'");
        assert_eq!(wait(10, Some(31)), (30, false));
        assert_eq!(wait(12, Some(31)), (60, false), "the longer of the two pauses");
    }

    #[test]
    fn a_pause_ends_by_itself() {
        let at = |seconds| judge(failures(11), None, NOON + Duration::from_secs(seconds));
        assert_eq!(at(29).map(|refusal| refusal.retry), Some(Duration::from_secs(1)));
        assert_eq!(at(30), None);
        assert_eq!(judge(failures(20), None, NOON + KEPT), None);
        let ahead = |count| judge(failures(count), None, NOON - Duration::from_mins(5)).map(|refusal| refusal.retry);
        assert_eq!([ahead(1), ahead(11)], [None, Some(FIRST_PAUSE)], "another node's clock is ahead");
    }
}
