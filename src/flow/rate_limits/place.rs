//! A place in a bucket for each password that is being checked. A try that finds the bucket full waits for one of them.
//!
//! Without this, people behind one address who log in at the same moment would look like an attack: each try counts as a
//! failure until its password is checked. An attacker gains nothing: a place becomes free by the right password alone.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::bucket::Buckets;

/// The buckets of failures, and the tries in them whose passwords are being checked.
#[derive(Debug)]
pub(super) struct FailureBuckets {
    buckets: Buckets,
    checked: Mutex<HashMap<IpAddr, TriesUnderWay>>,
}

/// The tries of one network that may not be failures.
#[derive(Debug, Default)]
struct TriesUnderWay {
    count: usize,
    one_ended: Arc<Notify>,
}

/// Why a try has no place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// The bucket is full of failures. The time until it takes the next try.
    Full(Duration),
    /// The tries before it are still being checked.
    Busy,
}

/// The place of a try. Dropped, it stays taken: the try was a failure, or it is unknown what it was.
#[derive(Debug)]
pub(super) struct TryPlace<'a> {
    of: &'a FailureBuckets,
    network: IpAddr,
}

impl FailureBuckets {
    pub fn new(buckets: Buckets) -> Self {
        Self { buckets, checked: Mutex::default() }
    }

    /// Takes a place. If the bucket is full, waits for `at_most` for a try that was no failure.
    pub async fn place(&self, network: IpAddr, at_most: Duration) -> Result<TryPlace<'_>, NoPlace> {
        let deadline = Instant::now() + at_most;
        loop {
            let one_ended = {
                let mut checked = self.checked();
                match self.buckets.take(network) {
                    Ok(()) => {
                        checked.entry(network).or_default().count += 1;
                        return Ok(TryPlace { of: self, network });
                    }
                    Err(retry) => match checked.get(&network) {
                        // Made under the lock: no try ends unheard before the wait.
                        Some(tries) => tries.one_ended.clone().notified_owned(),
                        None => return Err(NoPlace::Full(retry)),
                    },
                }
            };
            timeout_at(deadline, one_ended).await.map_err(|_| NoPlace::Busy)?;
        }
    }

    fn checked(&self) -> MutexGuard<'_, HashMap<IpAddr, TriesUnderWay>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TryPlace<'_> {
    /// Makes the place free again: the try was no failure.
    pub fn give_back(self) {
        self.of.buckets.give_back(self.network);
    }
}

impl Drop for TryPlace<'_> {
    fn drop(&mut self) {
        let mut checked = self.of.checked();
        let Entry::Occupied(mut tries) = checked.entry(self.network) else { return };
        tries.get_mut().count -= 1;
        tries.get().one_ended.notify_waiters();
        if tries.get().count == 0 {
            tries.remove();
        }
    }
}
