//! The steps of a stop: say so, close the port, end the idle connections, finish the requests under way.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// How far a stop has come. The server and `/readyz` share it.
#[derive(Debug, Default)]
pub struct Shutdown {
    step: AtomicU8,
    closing: Notify,
}

/// Answers say `Connection: close`, and `/readyz` says that the node stops. The port is still open.
const ANNOUNCED: u8 = 1;

/// The port is closed.
const CLOSING: u8 = 2;

impl Shutdown {
    /// Lets every answer say that its connection ends with it (RFC 9112, 9.6).
    pub fn announce(&self) {
        self.step.fetch_max(ANNOUNCED, Ordering::AcqRel);
    }

    pub fn is_announced(&self) -> bool {
        self.step.load(Ordering::Acquire) >= ANNOUNCED
    }

    /// Closes the port.
    pub(super) fn close(&self) {
        self.step.fetch_max(CLOSING, Ordering::AcqRel);
        self.closing.notify_one();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.step.load(Ordering::Acquire) >= CLOSING
    }

    /// Waits until the port must be closed. One task waits.
    pub(super) async fn closing(&self) {
        while !self.is_closing() {
            self.closing.notified().await;
        }
    }
}
