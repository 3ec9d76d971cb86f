//! The measurement from a running server: one at a time, watched while it runs, kept when it is over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Conditions, CostReport, CostSetup};
use crate::identity::LoginId;
use crate::labs::event_log::EventLog;
use crate::labs::revocation::LabError;
use crate::store::StoreError;

/// How long the end of a server waits for a run to end its logins.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens what a run works on: these strategies, or all, behind this delay.
pub type OpenCost =
    Box<dyn Fn(Vec<String>, Duration) -> BoxFuture<'static, Result<CostSetup, StoreError>> + Send + Sync>;

/// What happens in a run.
#[derive(Clone, Debug)]
pub enum CostEvent {
    /// It measures the floors.
    Floors,
    /// It goes on with this strategy.
    Strategy {
        /// The first is 1.
        number: usize,
        /// Of so many.
        of: usize,
        /// Its name.
        slug: &'static str,
    },
    /// It failed, and says why.
    Failed(String),
    /// Its report is there.
    Done,
}

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartCostError {
    /// One goes on.
    #[error("the cost is being measured already")]
    Busy,
    /// The server stops.
    #[error("the server stops")]
    Closing,
}

/// One run.
#[derive(Debug)]
pub struct CostRun {
    id: String,
    log: EventLog<CostEvent>,
}

impl CostRun {
    /// Its name, which nobody can guess.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What happened so far.
    pub fn log(&self) -> &EventLog<CostEvent> {
        &self.log
    }

    /// Waits for the end, at most so long. Whether it is there.
    pub async fn wait(&self, patience: Duration) -> bool {
        let whole = async {
            let mut listener = self.log.read_from(0);
            while self.log.next(&mut listener).await.is_some() {}
        };
        timeout(patience, whole).await.is_ok()
    }

    /// What went wrong, if it did.
    pub fn failure(&self) -> Option<String> {
        self.log
            .events()
            .iter()
            .find_map(|event| if let CostEvent::Failed(why) = event { Some(why.clone()) } else { None })
    }
}

/// The one run, and what the last one came to.
pub struct CostRuns {
    open: Arc<OpenCost>,
    state: Arc<Mutex<CostRunState>>,
    closing: watch::Sender<bool>,
}

#[derive(Default)]
struct CostRunState {
    /// The latest, whether or not it is over.
    latest: Option<Arc<CostRun>>,
    busy: bool,
    report: Option<Arc<CostReport>>,
}

/// Lets the next one in, however this one ends.
struct Leave(Arc<Mutex<CostRunState>>, Arc<CostRun>);

impl Drop for Leave {
    fn drop(&mut self) {
        lock(&self.0).busy = false;
        self.1.log.end();
    }
}

fn lock(state: &Mutex<CostRunState>) -> MutexGuard<'_, CostRunState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl CostRuns {
    /// Nothing is opened yet.
    pub fn new(open: OpenCost) -> Self {
        Self { open: Arc::new(open), state: Arc::default(), closing: watch::Sender::new(false) }
    }

    /// Starts one, unless one goes on.
    pub fn start(&self, wanted: Vec<String>, conditions: Conditions) -> Result<Arc<CostRun>, StartCostError> {
        if *self.closing.borrow() {
            return Err(StartCostError::Closing);
        }
        let run = Arc::new(CostRun { id: LoginId::random().to_string(), log: EventLog::default() });
        {
            let mut state = lock(&self.state);
            if state.busy {
                return Err(StartCostError::Busy);
            }
            (state.busy, state.latest) = (true, Some(run.clone()));
        }
        let leave = Leave(self.state.clone(), run.clone());
        let (open, driven, closing) = (self.open.clone(), run.clone(), self.closing.subscribe());
        tokio::spawn(async move {
            match drive(&open, wanted, conditions, &driven, closing).await {
                Ok(report) => {
                    lock(&leave.0).report = Some(Arc::new(report));
                    driven.log.push(CostEvent::Done);
                }
                Err(why) => driven.log.push(CostEvent::Failed(why)),
            }
            drop(leave);
        });
        Ok(run)
    }

    /// The latest, by its name.
    pub fn find(&self, id: &str) -> Option<Arc<CostRun>> {
        lock(&self.state).latest.clone().filter(|run| run.id == id)
    }

    /// The one that goes on.
    pub fn running(&self) -> Option<Arc<CostRun>> {
        let state = lock(&self.state);
        state.latest.clone().filter(|_| state.busy)
    }

    /// What the last good one came to.
    pub fn report(&self) -> Option<Arc<CostReport>> {
        lock(&self.state).report.clone()
    }

    /// Ends the one that goes on, and waits until its logins are ended: the server stops.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        let begun = Instant::now();
        while self.running().is_some() && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn drive(
    open: &OpenCost,
    wanted: Vec<String>,
    conditions: Conditions,
    run: &CostRun,
    mut closing: watch::Receiver<bool>,
) -> Result<CostReport, String> {
    let bench = open(wanted, conditions.delay).await.map_err(|error| logged(&error, error.sentence()))?;
    let stop = async {
        let _ = closing.wait_for(|closing| *closing).await;
    };
    let report = super::run(&bench, conditions, stop, |event| run.log.push(event)).await;
    report.map_err(|error| logged(&error, sentence(&error)))
}

/// The detail is for the log.
fn logged(error: &dyn std::error::Error, sentence: String) -> String {
    tracing::warn!(%error, "the cost could not be measured");
    sentence
}

fn sentence(error: &LabError) -> String {
    match error {
        LabError::Failed { strategy, source: crate::auth::Failure::Store(error) } => {
            format!("{strategy}: {}", error.sentence())
        }
        LabError::Failed { strategy, .. } => format!("{strategy}: a token could not be signed."),
        other => format!("{other}."),
    }
}
