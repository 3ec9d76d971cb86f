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
    asked: Asked,
}

impl Asking {
    pub fn new(node: &Arc<dyn AuthStrategy>, presented: &Arc<Presented>) -> Self {
        Self { node: node.clone(), presented: presented.clone(), waiting: JoinSet::new(), asked: Asked::default() }
    }

    /// Asks, unless too many questions wait for their answers. The error is a question that ended in a panic.
    pub fn ask(&mut self) -> Result<(), JoinError> {
        while let Some(probe) = self.waiting.try_join_next() {
            self.asked.probes.push(probe?);
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
            self.asked.probes.push(probe?);
        }
        Ok(self.asked)
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

    #[tokio::test]
    async fn no_queue_grows_in_front_of_a_node_that_does_not_answer() {
        let clock = Clock::system();
        let limits = SessionLimits { idle: Duration::from_mins(1), absolute: Duration::from_mins(1) };
        let store = Arc::new(MemorySessions::new(clock.clone()));
        let node: Arc<dyn AuthStrategy> = Arc::new(SessionStrategy::in_process(store, limits, clock));
        let mut asking = Asking::new(&node, &Arc::new(Presented::new(None)));
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
