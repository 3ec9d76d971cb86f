//! One node that is asked again and again, without waiting for the answer before.

use std::sync::Arc;
use std::time::Instant;

use tokio::task::{JoinError, JoinSet};

use crate::auth::{AuthStrategy, Presented};
use crate::trace::Trace;

/// How many questions to one node may wait for an answer. More than that is a queue in front of a store, and would be
/// measured instead of the strategy: a revoke would wait behind it.
const WAITING: usize = 256;

/// One question: when it was asked, and what came back.
#[derive(Clone, Copy)]
pub(super) struct Probe {
    pub asked: Instant,
    /// `None`: neither yes nor no.
    pub accepted: Option<bool>,
}

/// What was asked of a node, and when it was not asked.
#[derive(Default)]
pub(super) struct Asked {
    pub probes: Vec<Probe>,
    /// When a question was due while too many others waited.
    pub left_out: Vec<Instant>,
}

/// The questions to one node.
pub(super) struct Asking {
    node: Arc<dyn AuthStrategy>,
    presented: Arc<Presented>,
    waiting: JoinSet<Probe>,
    /// When the latest question was asked that got a yes or a no, and whether it was a yes.
    latest: Option<(Instant, bool)>,
    asked: Asked,
}

impl Asking {
    pub fn new(node: &Arc<dyn AuthStrategy>, presented: &Arc<Presented>) -> Self {
        let (node, presented) = (node.clone(), presented.clone());
        Self { node, presented, waiting: JoinSet::new(), latest: None, asked: Asked::default() }
    }

    /// Asks, unless too many questions wait for their answers. The error is a question that ended in a panic.
    pub fn ask(&mut self) -> Result<(), JoinError> {
        while let Some(probe) = self.waiting.try_join_next() {
            self.keep(probe?);
        }
        if self.waiting.len() < WAITING {
            self.waiting.spawn(ask(self.node.clone(), self.presented.clone()));
        } else {
            self.asked.left_out.push(Instant::now());
        }
        Ok(())
    }

    /// Waits for the answers that are missing.
    pub async fn over(mut self) -> Result<Asked, JoinError> {
        while let Some(probe) = self.waiting.join_next().await {
            self.keep(probe?);
        }
        Ok(self.asked)
    }

    /// Whether, as far as is known, the login is not refused yet: of the questions that were asked after the moment
    /// `answered`, the latest with a yes or a no got a yes, or there is none.
    pub fn is_open(&self, answered: Instant) -> bool {
        self.latest.is_none_or(|(asked, accepted)| asked <= answered || accepted)
    }

    fn keep(&mut self, probe: Probe) {
        // Answers come in any order.
        if let Some(accepted) = probe.accepted
            && self.latest.is_none_or(|(asked, _)| asked <= probe.asked)
        {
            self.latest = Some((probe.asked, accepted));
        }
        self.asked.probes.push(probe);
    }
}

async fn ask(node: Arc<dyn AuthStrategy>, presented: Arc<Presented>) -> Probe {
    let asked = Instant::now();
    let answer = node.identify(&presented, &Trace::off()).await;
    Probe { asked, accepted: answer.ok().map(|identity| identity.is_some()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::auth::{SessionLimits, SessionStrategy};
    use crate::clock::Clock;
    use crate::store::sessions::MemorySessions;

    /// A node that knows nobody, asked for nobody.
    fn asking() -> Asking {
        let clock = Clock::system();
        let limits = SessionLimits { idle: Duration::from_mins(1), absolute: Duration::from_mins(1) };
        let store = Arc::new(MemorySessions::new(clock.clone()));
        let node: Arc<dyn AuthStrategy> = Arc::new(SessionStrategy::in_process(store, limits, clock));
        Asking::new(&node, &Arc::new(Presented::new(None)))
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
            asking.keep(Probe { asked: at(ms), accepted });
            assert_eq!(asking.is_open(at(0)), open, "{ms} ms");
        }
        assert!(asking.is_open(at(4)), "nobody has answered what was asked since then");
        asking.keep(Probe { asked: at(6), accepted: Some(true) });
        assert!(asking.is_open(at(4)));
    }

    #[tokio::test]
    async fn no_queue_grows_in_front_of_a_node_that_does_not_answer() {
        let mut asking = asking();
        // Nothing is answered before this test waits.
        for _ in 0..300 {
            asking.ask().expect("no panic");
        }
        assert_eq!((asking.waiting.len(), asking.asked.left_out.len()), (WAITING, 300 - WAITING));
        tokio::task::yield_now().await;
        asking.ask().expect("no panic");
        let asked = asking.over().await.expect("no panic");
        assert_eq!((asked.probes.len(), asked.left_out.len()), (WAITING + 1, 300 - WAITING));
        assert!(asked.probes.iter().all(|probe| probe.accepted == Some(false)), "nobody is known by no credential");
    }
}
