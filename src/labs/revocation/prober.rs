//! Sends the probes around a revoke to one node, without waiting for the answer to the probe before.

use std::sync::Arc;
use std::time::Instant;

use tokio::task::{JoinError, JoinSet};

use crate::auth::{AuthStrategy, Credentials};
use crate::trace::Trace;

/// The maximum number of probes in flight to one node. With more, the lab would measure the queue in front of a
/// store.
const MAX_IN_FLIGHT: usize = 256;

#[derive(Clone, Copy)]
pub(super) struct Probe {
    pub sent_at: Instant,
    /// `None`: neither accepted nor refused.
    pub accepted: Option<bool>,
}

/// The answered probes of a node, and those that were not sent.
#[derive(Default)]
pub(super) struct Probes {
    pub probes: Vec<Probe>,
    /// When a probe was due while too many others were in flight.
    pub skipped: Vec<Instant>,
}

pub(super) struct Prober {
    node: Arc<dyn AuthStrategy>,
    credentials: Arc<Credentials>,
    in_flight: JoinSet<Probe>,
    /// When the latest probe was sent that was accepted or refused, and whether it was accepted.
    latest: Option<(Instant, bool)>,
    probes: Probes,
}

impl Prober {
    pub fn new(node: &Arc<dyn AuthStrategy>, credentials: &Arc<Credentials>) -> Self {
        let (node, credentials) = (node.clone(), credentials.clone());
        Self { node, credentials, in_flight: JoinSet::new(), latest: None, probes: Probes::default() }
    }

    /// Sends a probe, unless too many are in flight. Fails if an earlier one panicked.
    pub fn probe(&mut self) -> Result<(), JoinError> {
        while let Some(probe) = self.in_flight.try_join_next() {
            self.keep(probe?);
        }
        if self.in_flight.len() < MAX_IN_FLIGHT {
            self.in_flight.spawn(check(self.node.clone(), self.credentials.clone()));
        } else {
            self.probes.skipped.push(Instant::now());
        }
        Ok(())
    }

    /// Waits for the missing answers.
    pub async fn finish(mut self) -> Result<Probes, JoinError> {
        while let Some(probe) = self.in_flight.join_next().await {
            self.keep(probe?);
        }
        Ok(self.probes)
    }

    /// Whether no refusal is known yet: of the probes that were sent after `answered`, the latest answered one was
    /// accepted, or none was answered.
    pub fn is_open(&self, answered: Instant) -> bool {
        self.latest.is_none_or(|(sent, accepted)| sent <= answered || accepted)
    }

    fn keep(&mut self, probe: Probe) {
        // Answers come in any order.
        if let Some(accepted) = probe.accepted
            && self.latest.is_none_or(|(sent, _)| sent <= probe.sent_at)
        {
            self.latest = Some((probe.sent_at, accepted));
        }
        self.probes.probes.push(probe);
    }
}

async fn check(node: Arc<dyn AuthStrategy>, credentials: Arc<Credentials>) -> Probe {
    let sent_at = Instant::now();
    let answer = node.identify(&credentials, &Trace::off()).await;
    Probe { sent_at, accepted: answer.ok().map(|identity| identity.is_some()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auth::{SessionLimits, SessionStrategy};
    use crate::clock::Clock;
    use crate::store::sessions::MemorySessions;

    /// A node without logins, probed without a credential.
    fn prober() -> Prober {
        let clock = Clock::system();
        let limits = SessionLimits { idle: Duration::from_mins(1), absolute: Duration::from_mins(1) };
        let store = Arc::new(MemorySessions::new(clock.clone()));
        let node: Arc<dyn AuthStrategy> = Arc::new(SessionStrategy::in_process(store, limits, clock));
        Prober::new(&node, &Arc::new(Credentials::new(None)))
    }

    #[test]
    fn a_login_is_open_until_the_latest_answer_is_a_refusal() {
        let (begun, mut prober) = (Instant::now(), prober());
        let at = |ms| begun + Duration::from_millis(ms);
        assert!(prober.is_open(at(0)), "no answer yet");
        // The answers come in another order than the probes.
        for (ms, accepted, open) in
            [(1, Some(true), true), (4, Some(false), false), (3, Some(true), false), (5, None, false)]
        {
            prober.keep(Probe { sent_at: at(ms), accepted });
            assert_eq!(prober.is_open(at(0)), open, "{ms} ms");
        }
        assert!(prober.is_open(at(4)), "no answer to a probe that was sent since then");
        prober.keep(Probe { sent_at: at(6), accepted: Some(true) });
        assert!(prober.is_open(at(4)));
    }

    #[tokio::test]
    async fn no_queue_grows_in_front_of_a_node_that_does_not_answer() {
        let mut prober = prober();
        // No probe is answered before this test waits.
        for _ in 0..300 {
            prober.probe().expect("no panic");
        }
        assert_eq!((prober.in_flight.len(), prober.probes.skipped.len()), (MAX_IN_FLIGHT, 300 - MAX_IN_FLIGHT));
        tokio::task::yield_now().await;
        prober.probe().expect("no panic");
        let sent = prober.finish().await.expect("no panic");
        assert_eq!((sent.probes.len(), sent.skipped.len()), (MAX_IN_FLIGHT + 1, 300 - MAX_IN_FLIGHT));
        assert!(sent.probes.iter().all(|probe| probe.accepted == Some(false)), "no credential, no login");
    }
}
