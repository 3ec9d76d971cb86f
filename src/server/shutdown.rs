//! The steps of a stop: say so, close the port, end the idle connections, finish the requests under way.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// How far a stop has come. The server and `/readyz` share it.
#[derive(Debug, Default)]
pub struct Shutdown {
    step: AtomicU8,
    changed: Notify,
}

/// Answers say `Connection: close`, and `/readyz` says that the node stops. The port is still open.
const ANNOUNCED: u8 = 1;

/// The server accepts what the system has accepted already, then closes the port.
const CLOSING: u8 = 2;

/// The port is closed.
const CLOSED: u8 = 3;

impl Shutdown {
    /// Lets every answer say that its connection ends with it (RFC 9112, 9.6).
    pub fn announce(&self) {
        self.reach(ANNOUNCED);
    }

    pub fn is_announced(&self) -> bool {
        self.has_reached(ANNOUNCED)
    }

    /// Asks for the port to be closed.
    pub(super) fn close_port(&self) {
        self.reach(CLOSING);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.has_reached(CLOSING)
    }

    /// Waits until the port must be closed.
    pub(super) async fn closing(&self) {
        self.until(CLOSING).await;
    }

    /// Notes that no further connection can come.
    pub(super) fn port_is_closed(&self) {
        self.reach(CLOSED);
    }

    /// Waits until no further connection can come.
    pub(super) async fn port_closed(&self) {
        self.until(CLOSED).await;
    }

    fn reach(&self, step: u8) {
        self.step.fetch_max(step, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    fn has_reached(&self, step: u8) -> bool {
        self.step.load(Ordering::Acquire) >= step
    }

    async fn until(&self, step: u8) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            if self.has_reached(step) {
                return;
            }
            changed.await;
        }
    }
}
