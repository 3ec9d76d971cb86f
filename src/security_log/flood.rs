//! Bounds the lines of each kind of event, and counts those that were left out.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::SecurityEvent;

/// Lines a second of an event that anybody can cause without a login. At 300 bytes a line an attacker who never stops
/// fills 260 MB a day with one kind.
const FREE_PER_SECOND: u64 = 10;

/// Lines a second of any other event. It needs a password, and so a hash, or the credential of a user.
const EARNED_PER_SECOND: u64 = 200;

const WINDOW: Duration = Duration::from_secs(1);

/// Counts the events of each kind in the current second.
#[derive(Debug, Default)]
pub(super) struct FloodGuard(Mutex<BTreeMap<&'static str, Window>>);

#[derive(Debug, Default)]
struct Window {
    begun: Option<Instant>,
    count: u64,
    left_out: u64,
}

impl FloodGuard {
    /// Whether the log has room for this event now. If not, the guard counts it as left out.
    pub fn admits(&self, event: &SecurityEvent, now: Instant) -> bool {
        let limit = if event.is_free_for_strangers() { FREE_PER_SECOND } else { EARNED_PER_SECOND };
        let mut windows = self.windows();
        let window = windows.entry(event.name()).or_default();
        if window.begun.is_none_or(|begun| now.duration_since(begun) >= WINDOW) {
            (window.begun, window.count) = (Some(now), 0);
        }
        window.count += 1;
        let room = window.count <= limit;
        window.left_out += u64::from(!room);
        room
    }

    /// Counts an event whose line could not be written.
    pub fn leave_out(&self, event: &SecurityEvent) {
        let (name, count) = match event {
            SecurityEvent::EventsLeftOut { left_out, count } => (*left_out, *count),
            other => (other.name(), 1),
        };
        self.windows().entry(name).or_default().left_out += count;
    }

    /// The events that say how many others were left out since the last call.
    pub fn left_out(&self) -> Vec<SecurityEvent> {
        let mut windows = self.windows();
        let counts = windows.iter_mut().map(|(name, window)| (*name, std::mem::take(&mut window.left_out)));
        let counts = counts.filter(|(_, count)| *count > 0);
        counts.map(|(left_out, count)| SecurityEvent::EventsLeftOut { left_out, count }).collect()
    }

    fn windows(&self) -> MutexGuard<'_, BTreeMap<&'static str, Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_kind_hides_no_other_and_is_counted() {
        let (guard, now) = (FloodGuard::default(), Instant::now());
        let flood = SecurityEvent::RateLimited { path: "/jwt/login".to_owned(), retry_after_s: 1 };
        let written = (0..100).filter(|_| guard.admits(&flood, now)).count();
        assert_eq!(written, 10, "the first of the second");
        assert!(guard.admits(&SecurityEvent::RefreshReused, now), "another kind");
        let counted = |events: Vec<SecurityEvent>| match events.as_slice() {
            [] => None,
            [SecurityEvent::EventsLeftOut { left_out, count }] => Some((*left_out, *count)),
            other => panic!("{other:?}"),
        };
        assert_eq!(counted(guard.left_out()), Some(("rate_limited", 90)));
        assert_eq!(counted(guard.left_out()), None, "said once");
        assert!(guard.admits(&flood, now + WINDOW), "the next second");
        guard.leave_out(&SecurityEvent::EventsLeftOut { left_out: "rate_limited", count: 90 });
        assert_eq!(counted(guard.left_out()), Some(("rate_limited", 90)), "the line about them was not written");
    }
}
