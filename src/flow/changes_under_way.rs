//! The password changes that this node is working on, and whether somebody revoked their logins meanwhile.
//!
//! A change hashes two passwords, which takes long. The strategies let a revoke win that was answered before the change
//! replaces the login. This also stops a change whose old credential a log out presented in the last moment, when the
//! change had already revoked it; and it works where a strategy cannot know, as under `jwt`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use sha2::{Digest as _, Sha256};

use crate::auth::{Description, Identity, RevokeScope};
use crate::identity::{LoginId, UserId};

/// The changes of a node. There are no more of them than requests.
#[derive(Debug, Default)]
pub struct ChangesUnderWay(Mutex<Vec<Weak<ChangeUnderWay>>>);

/// One change, from its first check to its answer.
#[derive(Debug)]
pub(super) struct ChangeUnderWay {
    mount: &'static str,
    user: UserId,
    login: LoginId,
    credential: [u8; 32],
    revoked: AtomicBool,
}

impl ChangesUnderWay {
    /// Watches a login until the value is dropped.
    pub(super) fn begin(&self, mount: &Description, who: &Identity, credential: &str) -> Arc<ChangeUnderWay> {
        let change = Arc::new(ChangeUnderWay {
            mount: mount.slug,
            user: who.subject.id,
            login: who.login.clone(),
            credential: Sha256::digest(credential).into(),
            revoked: AtomicBool::new(false),
        });
        let mut all = self.all();
        all.retain(|change| change.strong_count() > 0);
        all.push(Arc::downgrade(&change));
        change
    }

    /// A log out presented this credential, whether the server still accepts it or not.
    pub(super) fn log_out(&self, credential: &str) {
        if !self.all().is_empty() {
            let credential: [u8; 32] = Sha256::digest(credential).into();
            self.revoke_where(|change| change.credential == credential);
        }
    }

    /// A request revokes logins under a mount.
    pub(super) fn revoke(&self, mount: &Description, who: &Identity, scope: &RevokeScope) {
        // A strategy that cannot revoke a single login revokes all, or none.
        let login = scope.single(&who.login).filter(|_| mount.revokes_single || mount.promise.only_expires());
        self.revoke_where(|change| {
            let is_theirs = change.mount == mount.slug && change.user == who.subject.id;
            is_theirs && login.is_none_or(|login| *login == change.login)
        });
    }

    fn revoke_where(&self, is_meant: impl Fn(&ChangeUnderWay) -> bool) {
        for change in self.all().iter().filter_map(Weak::upgrade).filter(|change| is_meant(change)) {
            change.revoked.store(true, Ordering::Release);
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Weak<ChangeUnderWay>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChangeUnderWay {
    /// Whether a request revoked the login since the change began.
    pub fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }
}
