//! One node that is asked again and again, without waiting for the answer before.

use std::sync::Arc;
use std::time::Instant;

use tokio::task::{JoinError, JoinSet};

use crate::auth::{AuthStrategy, Credentials};
use crate::trace::Trace;

/// How many questions to one node may wait for an answer. More than that is a queue in front of a store, and would be
/// measured instead of the strategy: a revoke would wait behind it.
const MAX_IN_FLIGHT: usize = 256;

/// One question: when it was asked, and what came back.
#[derive(Clone, Copy)]
pub(super) struct Probe {
    pub sent_at: Instant,
    /// `None`: neither yes nor no.
    pub accepted: Option<bool>,
}

/// What was asked of a node, and when it was not asked.
#[derive(Default)]
pub(super) struct Probes {
    pub probes: Vec<Probe>,
    /// When a question was due while too many others waited.
    pub skipped: Vec<Instant>,
}

/// The questions to one node.
pub(super) struct Prober {
    node: Arc<dyn AuthStrategy>,
    credentials: Arc<Credentials>,
    in_flight: JoinSet<Probe>,
    /// When the latest question was asked that got a yes or a no, and whether it was a yes.
    latest: Option<(Instant, bool)>,
    probes: Probes,
}

impl Prober {
    pub fn new(node: &Arc<dyn AuthStrategy>, credentials: &Arc<Credentials>) -> Self {
        let (node, credentials) = (node.clone(), credentials.clone());
        Self { node, credentials, in_flight: JoinSet::new(), latest: None, probes: Probes::default() }
    }

    /// Asks, unless too many questions wait for their answers. The error is a question that ended in a panic.
    pub fn probe(&mut self) -> Result<(), JoinError> {
        while let Some(probe) = self.in_flight.try_join_next() {
            self.keep(probe?);
        }
        if self.in_flight.len() < MAX_IN_FLIGHT {
            self.in_flight.spawn(ask(self.node.clone(), self.credentials.clone()));
        } else {
            self.probes.skipped.push(Instant::now());
        }
        Ok(())
    }

    /// Waits for the answers that are missing.
    pub async fn finish(mut self) -> Result<Probes, JoinError> {
        while let Some(probe) = self.in_flight.join_next().await {
            self.keep(probe?);
        }
        Ok(self.probes)
    }

    /// Whether, as far as is known, the login is not refused yet: of the questions that were asked after the moment
    /// `answered`, the latest with a yes or a no got a yes, or there is none.
    pub fn is_open(&self, answered: Instant) -> bool {
        self.latest.is_none_or(|(asked, accepted)| asked <= answered || accepted)
    }

    fn keep(&mut self, probe: Probe) {
        // Answers come in any order.
        if let Some(accepted) = probe.accepted
            && self.latest.is_none_or(|(asked, _)| asked <= probe.sent_at)
        {
            self.latest = Some((probe.sent_at, accepted));
        }
        self.probes.probes.push(probe);
    }
}

async fn ask(node: Arc<dyn AuthStrategy>, credentials: Arc<Credentials>) -> Probe {
    let asked = Instant::now();
    let answer = node.identify(&credentials, &Trace::off()).await;
    Probe { sent_at: asked, accepted: answer.ok().map(|identity| identity.is_some()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auth::{SessionLimits, SessionStrategy};
    use crate::clock::Clock;
    use crate::store::sessions::MemorySessions;

    /// A node that knows nobody, asked for nobody.
    fn asking() -> Prober {
        let clock = Clock::system();
        let limits = SessionLimits { idle: Duration::from_mins(1), absolute: Duration::from_mins(1) };
        let store = Arc::new(MemorySessions::new(clock.clone()));
        let node: Arc<dyn AuthStrategy> = Arc::new(SessionStrategy::in_process(store, limits, clock));
        Prober::new(&node, &Arc::new(Credentials::new(None)))
    }

    #[test]
    fn a_login_is_open_until_the_latest_answer_is_a_no() {
        let (begun, mut asking) = (Instant::now(), asking());
        let at = |ms| begun + Duration::from_millis(ms);
        assert!(asking.is_open(at(0)), "nobody has answered");
        // The answers come in another order than the questions.
        for (ms, accepted, open) in
            [(1, Some(true), true), (4, Some(false), false), (3, Some(true), false), (5, None, false)]
        {
            asking.keep(Probe { sent_at: at(ms), accepted });
            assert_eq!(asking.is_open(at(0)), open, "{ms} ms");
        }
        assert!(asking.is_open(at(4)), "nobody has answered what was asked since then");
        asking.keep(Probe { sent_at: at(6), accepted: Some(true) });
        assert!(asking.is_open(at(4)));
    }

    #[tokio::test]
    async fn no_queue_grows_in_front_of_a_node_that_does_not_answer() {
        let mut asking = asking();
        // Nothing is answered before this test waits.
        for _ in 0..300 {
            asking.probe().expect("no panic");
        }
        assert_eq!((asking.in_flight.len(), asking.probes.skipped.len()), (MAX_IN_FLIGHT, 300 - MAX_IN_FLIGHT));
        tokio::task::yield_now().await;
        asking.probe().expect("no panic");
        let asked = asking.finish().await.expect("no panic");
        assert_eq!((asked.probes.len(), asked.skipped.len()), (MAX_IN_FLIGHT + 1, 300 - MAX_IN_FLIGHT));
        assert!(asked.probes.iter().all(|probe| probe.accepted == Some(false)), "nobody is known by no credential");
    }
}
