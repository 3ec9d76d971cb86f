//! How long a session lives: the idle timeout slides with each request, the absolute timeout does not.

use std::time::Duration;

use crate::auth::Upkeep;
use crate::clock::Timestamp;
use crate::store::sessions::LoginRecord;

/// The two limits of a session (OWASP ASVS 5.0, 7.3.1 and 7.3.2). Every check enforces both.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// A session expires after this long without a request.
    pub idle: Duration,
    /// A session expires after this long in any case.
    pub absolute: Duration,
}

impl SessionLimits {
    pub(super) fn expiry(self, issued: Timestamp, seen: Timestamp) -> Timestamp {
        (seen + self.idle).min(issued + self.absolute)
    }

    /// The shortest time between two writes of a record.
    fn slide_every(self) -> Duration {
        self.idle / 10
    }

    pub(super) fn upkeep(self) -> Upkeep {
        Upkeep::of_login("sliding writes", self.slide_every())
    }

    /// Whether a request must write the record again. It does so at most once in a tenth of the idle limit, so a session
    /// may expire that much early.
    pub(super) fn must_slide(self, record: &LoginRecord, now: Timestamp) -> bool {
        now.since(record.seen) >= self.slide_every()
    }
}
