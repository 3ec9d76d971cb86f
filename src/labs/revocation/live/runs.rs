//! The live runs of a server, each under a user of its own. A run is forgotten when it ends.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use super::login::LiveLogin;
use super::run::LiveRun;
use super::run_loop::run_loop;
use crate::clock::Clock;
use crate::identity::Subject;
use crate::labs::nodes::NodePair;
use crate::labs::runs::{AfterEnd, Runs, StartRunError};
use crate::store::StoreError;

/// The maximum number of runs at once.
pub const AT_ONCE: usize = 4;

/// What the runs work on.
pub struct LiveSetup {
    /// Each strategy on both nodes.
    pub pairs: Vec<NodePair>,
    /// One for each of [`AT_ONCE`] runs: under some strategies a revoke ends every login of a user.
    pub subjects: Vec<Subject>,
    pub clock: Clock,
}

/// Opens the setup at the first run.
#[async_trait]
pub trait OpenLive: Send + Sync {
    /// The setup lasts until the server stops.
    async fn open_live(&self) -> Result<LiveSetup, StoreError>;
}

/// The live runs.
pub struct LiveRuns {
    open: Arc<dyn OpenLive>,
    setup: OnceCell<LiveSetup>,
    runs: Runs<LiveRun>,
}

impl LiveRuns {
    pub fn new(open: Arc<dyn OpenLive>) -> Self {
        Self { open, setup: OnceCell::new(), runs: Runs::new(AT_ONCE, AfterEnd::Forget) }
    }

    /// Opens a login under each of the strategies `wanted`, in the order of the home page.
    pub async fn start(&self, wanted: &[String]) -> Result<Arc<LiveRun>, StartRunError> {
        let setup = self.setup.get_or_try_init(|| self.open.open_live()).await?;
        let pairs = setup.pairs.iter().filter(|pair| wanted.iter().any(|slug| pair.slug() == slug));
        let pairs: Vec<_> = pairs.cloned().collect();
        let strategies = pairs.iter().map(|pair| pair.same.describe().clone()).collect();
        let slot = self.runs.enter(|id| LiveRun::new(id, strategies))?;
        let subject = &setup.subjects[slot.number()];
        let login = |(number, pair)| LiveLogin::new(number, pair, subject.clone(), setup.clock.clone());
        let logins = pairs.into_iter().enumerate().map(login).collect();
        let run = slot.run().clone();
        tokio::spawn(async move { run_loop(slot.run().clone(), logins, slot.closing()).await });
        Ok(run)
    }

    /// The run with this id, while it goes on.
    pub fn find(&self, id: &str) -> Option<Arc<LiveRun>> {
        self.runs.find(id)
    }

    /// Ends all runs: the server stops.
    pub async fn close(&self) {
        self.runs.close().await;
    }
}
