//! The runs of a server: a few at once, each under a user of its own, all gone when they are over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::{OnceCell, watch};

use super::LiveRun;
use super::login::LiveLogin;
use super::run_loop::run_loop;
use crate::clock::Clock;
use crate::identity::{LoginId, Subject};
use crate::labs::nodes::NodePair;
use crate::store::StoreError;

/// What the runs work on.
pub struct LiveSetup {
    /// Each strategy on both nodes.
    pub pairs: Vec<NodePair>,
    /// One for each run at once: under some strategies a revoke ends every login of a user.
    pub subjects: Vec<Subject>,
    /// The strategies' time.
    pub clock: Clock,
}

/// Opens it at the first run.
pub type OpenBench = Box<dyn Fn() -> BoxFuture<'static, Result<LiveSetup, StoreError>> + Send + Sync>;

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartRunError {
    /// The stores.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// As many as may run at once do.
    #[error("as many experiments as may run at once do")]
    Full,
}

/// All of them.
pub struct Runs {
    open: OpenBench,
    bench: OnceCell<LiveSetup>,
    running: Running,
    closing: watch::Sender<bool>,
}

/// By name: the number of its user, and the run.
type Running = Arc<Mutex<HashMap<String, (usize, Arc<LiveRun>)>>>;

fn lock(running: &Running) -> MutexGuard<'_, HashMap<String, (usize, Arc<LiveRun>)>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets a run, however it ends.
struct Leave {
    running: Running,
    id: String,
}

impl Drop for Leave {
    fn drop(&mut self) {
        lock(&self.running).remove(&self.id);
    }
}

impl Runs {
    /// Nothing is opened yet.
    pub fn new(open: OpenBench) -> Self {
        Self { open, bench: OnceCell::new(), running: Arc::default(), closing: watch::Sender::new(false) }
    }

    /// Opens a login under each of the strategies `wanted`, in the order of the home page.
    pub async fn start(&self, wanted: &[String]) -> Result<Arc<LiveRun>, StartRunError> {
        let bench = self.bench.get_or_try_init(|| (self.open)()).await?;
        let pairs: Vec<_> =
            bench.pairs.iter().filter(|pair| wanted.iter().any(|slug| pair.slug() == slug)).cloned().collect();
        let lanes = pairs.iter().map(|pair| pair.same.describe().clone()).collect();
        let run = Arc::new(LiveRun::new(LoginId::random().to_string(), lanes));
        let subject = self.enter(&bench.subjects, &run)?;
        let lane = |(number, pair)| LiveLogin::new(number, pair, subject.clone(), bench.clock.clone());
        let lanes = pairs.into_iter().enumerate().map(lane).collect();
        let leave = Leave { running: self.running.clone(), id: run.id().to_owned() };
        let (driven, closing) = (run.clone(), self.closing.subscribe());
        tokio::spawn(async move {
            run_loop(driven, lanes, closing).await;
            drop(leave);
        });
        Ok(run)
    }

    /// Takes a user that no other run has.
    fn enter<'a>(&self, subjects: &'a [Subject], run: &Arc<LiveRun>) -> Result<&'a Subject, StartRunError> {
        let mut running = lock(&self.running);
        let free = |number: &usize| running.values().all(|(taken, _)| taken != number);
        let number = (0..subjects.len()).find(free).ok_or(StartRunError::Full)?;
        running.insert(run.id().to_owned(), (number, run.clone()));
        Ok(&subjects[number])
    }

    /// A run that goes on.
    pub fn find(&self, id: &str) -> Option<Arc<LiveRun>> {
        lock(&self.running).get(id).map(|(_, run)| run.clone())
    }

    /// Ends them all: the server stops.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }
}
