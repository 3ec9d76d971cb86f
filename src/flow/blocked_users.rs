//! The users who were disabled or deleted, and whose logins a store keeps the node from revoking. Until it has, a check of
//! theirs is unavailable.
//!
//! A store that comes back could otherwise let them in until the node revokes their logins. A check pays one load of a
//! number that is nearly always zero.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::identity::UserId;

/// How often each user waits under each mount: somebody may have been disabled twice.
#[derive(Debug, Default)]
pub struct BlockedUsers {
    entries: AtomicUsize,
    waiting: Mutex<HashMap<(&'static str, UserId), usize>>,
}

impl BlockedUsers {
    pub(super) fn block(&self, slug: &'static str, user: UserId) {
        let mut waiting = self.waiting();
        *waiting.entry((slug, user)).or_default() += 1;
        self.entries.store(waiting.len(), Ordering::Release);
    }

    pub(super) fn unblock(&self, slug: &'static str, user: UserId) {
        let mut waiting = self.waiting();
        if let Some(count) = waiting.get_mut(&(slug, user)) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&(slug, user));
            }
        }
        self.entries.store(waiting.len(), Ordering::Release);
    }

    /// Whether the node still has to revoke logins of the user under this mount.
    pub fn is_blocked(&self, slug: &'static str, user: UserId) -> bool {
        self.entries.load(Ordering::Acquire) > 0 && self.waiting().contains_key(&(slug, user))
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<(&'static str, UserId), usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
