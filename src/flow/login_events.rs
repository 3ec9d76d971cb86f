//! Wakes the event streams of open pages when their login may have ended. Knows no request and no store.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

/// The maximum number of streams of one login on a node: each checks the login every two seconds. A browser has one, of
/// the tab that is looked at. It may also have one of each page that it left, until a write finds no reader.
const PER_LOGIN: usize = 16;

/// Tells the streams of this node what happens.
#[derive(Debug)]
pub struct LoginEvents {
    open: OpenStreams,
    revoked: watch::Sender<u64>,
    closing: watch::Sender<bool>,
}

impl Default for LoginEvents {
    fn default() -> Self {
        Self { open: OpenStreams::default(), revoked: watch::Sender::new(0), closing: watch::Sender::new(false) }
    }
}

impl LoginEvents {
    /// Wakes every stream: this node revoked some login.
    pub fn revoked(&self) {
        self.revoked.send_modify(|count| *count += 1);
    }

    /// Ends every stream, so that none holds up the end of the server.
    pub fn closing(&self) {
        self.closing.send_replace(true);
    }

    /// Opens a stream of the login behind `credential`. Above the limit the login's oldest stream ends.
    pub(super) fn subscribe(&self, credential: &str) -> LoginEventStream {
        LoginEventStream {
            displaced: self.open.add(credential),
            revoked: self.revoked.subscribe(),
            closing: self.closing.subscribe(),
        }
    }
}

/// What one stream listens to.
pub(super) struct LoginEventStream {
    displaced: oneshot::Receiver<()>,
    revoked: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
}

impl LoginEventStream {
    /// Forgets the revocations so far: a check that begins now sees them.
    pub fn begin_check(&mut self) {
        self.revoked.mark_unchanged();
    }

    pub fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Waits until some login was revoked, or for `at_most`. False if the stream must end.
    pub async fn wait(&mut self, at_most: Duration) -> bool {
        tokio::select! {
            () = sleep(at_most) => true,
            _ = self.revoked.changed() => true,
            _ = self.closing.changed() => false,
            _ = &mut self.displaced => false,
        }
    }
}

/// The open streams of each credential, the oldest first, under its hash: told apart without a store call.
#[derive(Debug, Default)]
struct OpenStreams(Mutex<HashMap<[u8; 32], Vec<oneshot::Sender<()>>>>);

impl OpenStreams {
    /// Adds a stream, in place of the oldest above the limit. The receiver completes when a later one takes its place.
    fn add(&self, credential: &str) -> oneshot::Receiver<()> {
        let (place, displaced) = oneshot::channel();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Every start drops the streams that ended. There are no more of them than connections.
        open.retain(|_, streams| {
            streams.retain(|stream| !stream.is_closed());
            !streams.is_empty()
        });
        let streams = open.entry(Sha256::digest(credential).into()).or_default();
        if streams.len() >= PER_LOGIN {
            streams.remove(0);
        }
        streams.push(place);
        displaced
    }
}
