//! How long a session lives.

use std::time::Duration;

use super::Upkeep;
use crate::clock::Timestamp;
use crate::store::sessions::LoginRecord;

/// The two limits of a session (OWASP ASVS 5.0, 7.3.1 and 7.3.2), both enforced at every request.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Without a request for this long, it ends.
    pub idle: Duration,
    /// After this long it ends in any case.
    pub absolute: Duration,
}

impl SessionLimits {
    pub(super) fn expiry(self, issued: Timestamp, seen: Timestamp) -> Timestamp {
        (seen + self.idle).min(issued + self.absolute)
    }

    /// How long after the last write the next request writes again.
    fn fresh(self) -> Duration {
        self.idle / 10
    }

    pub(super) fn upkeep(self) -> Upkeep {
        Upkeep::of_login("sliding writes", self.fresh())
    }

    /// The sliding write is made at most once in a tenth of the idle limit: a session may end that much early.
    pub(super) fn is_stale(self, record: &LoginRecord, now: Timestamp) -> bool {
        now.since(record.seen) >= self.fresh()
    }
}
