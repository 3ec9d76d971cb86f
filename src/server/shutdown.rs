//! The steps of a stop: say so, close the port, end the idle connections, finish the requests under way.

use tokio::sync::watch;

/// How far a stop has come. The server and `/readyz` share it.
#[derive(Debug)]
pub struct Shutdown {
    step: watch::Sender<StopStep>,
}

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum StopStep {
    Serving,
    /// Answers say `Connection: close`, and `/readyz` says that the node stops. The port is still open.
    Announced,
    /// The server accepts what the system has accepted already, then closes the port.
    Closing,
    Closed,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { step: watch::Sender::new(StopStep::Serving) }
    }
}

impl Shutdown {
    /// Lets every answer say that its connection ends with it (RFC 9112, 9.6).
    pub fn announce(&self) {
        self.reach(StopStep::Announced);
    }

    pub fn is_announced(&self) -> bool {
        self.has_reached(StopStep::Announced)
    }

    /// Asks for the port to be closed.
    pub(super) fn close_port(&self) {
        self.reach(StopStep::Closing);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.has_reached(StopStep::Closing)
    }

    /// Waits until the port must be closed.
    pub(super) async fn closing(&self) {
        self.until(StopStep::Closing).await;
    }

    /// Notes that no further connection can come.
    pub(super) fn port_is_closed(&self) {
        self.reach(StopStep::Closed);
    }

    /// Waits until no further connection can come.
    pub(super) async fn port_closed(&self) {
        self.until(StopStep::Closed).await;
    }

    fn reach(&self, step: StopStep) {
        self.step.send_if_modified(|now| {
            let is_later = *now < step;
            if is_later {
                *now = step;
            }
            is_later
        });
    }

    fn has_reached(&self, step: StopStep) -> bool {
        *self.step.borrow() >= step
    }

    async fn until(&self, step: StopStep) {
        // Fails only without a sender, which is in `self`.
        let _ = self.step.subscribe().wait_for(|now| *now >= step).await;
    }
}
