//! The cost runs of a server: one at a time, found until the next one starts; and the report of the last good one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

use super::experiment::{CostEvent, run};
use super::report::CostReport;
use super::setup::{Conditions, CostSetup};
use crate::auth::Failure;
use crate::labs::event_log::EventLog;
use crate::labs::lab_error::LabError;
use crate::labs::runs::{AfterEnd, Run, RunSlot, Runs, StartRunError};
use crate::store::StoreError;

/// Opens what a run works on.
#[async_trait]
pub trait OpenCost: Send + Sync {
    /// The strategies `wanted`, or all if none are named, on stores behind `delay`.
    async fn open_cost(&self, wanted: &[String], delay: Duration) -> Result<CostSetup, StoreError>;
}

/// Why a run has no report.
#[derive(Debug, thiserror::Error)]
enum CostRunError {
    #[error(transparent)]
    Open(#[from] StoreError),
    #[error(transparent)]
    Lab(#[from] LabError),
}

impl CostRunError {
    /// What the page shows; the details are for the log.
    fn sentence(&self) -> String {
        match self {
            Self::Open(error) => error.sentence(),
            Self::Lab(LabError::Failed { strategy, source: Failure::Store(error) }) => {
                format!("{strategy}: {}", error.sentence())
            }
            Self::Lab(LabError::Failed { strategy, .. }) => format!("{strategy}: the server cannot sign a token."),
            Self::Lab(other) => format!("{other}."),
        }
    }
}

/// One run.
#[derive(Debug)]
pub struct CostRun {
    id: String,
    log: EventLog<CostEvent>,
}

impl Run for CostRun {
    fn end(&self) {
        self.log.end();
    }
}

impl CostRun {
    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn log(&self) -> &EventLog<CostEvent> {
        &self.log
    }

    /// Waits for the end, at most this long. Whether the run is over.
    pub async fn wait(&self, limit: Duration) -> bool {
        let end = async {
            let mut reader = self.log.read_from(0);
            while self.log.next(&mut reader).await.is_some() {}
        };
        timeout(limit, end).await.is_ok()
    }

    /// Why it failed, if it did.
    pub fn failure(&self) -> Option<String> {
        let events = self.log.events();
        events.iter().find_map(|event| if let CostEvent::Failed(why) = event { Some(why.clone()) } else { None })
    }
}

/// The cost runs.
pub struct CostRuns {
    open: Arc<dyn OpenCost>,
    runs: Runs<CostRun>,
    report: Arc<Mutex<Option<Arc<CostReport>>>>,
}

impl CostRuns {
    pub fn new(open: Arc<dyn OpenCost>) -> Self {
        Self { open, runs: Runs::new(1, AfterEnd::Keep), report: Arc::default() }
    }

    /// Starts a run, unless one is running.
    pub fn start(&self, wanted: Vec<String>, conditions: Conditions) -> Result<Arc<CostRun>, StartRunError> {
        let slot = self.runs.enter(|id| CostRun { id, log: EventLog::default() })?;
        let (open, report, run) = (self.open.clone(), self.report.clone(), slot.run().clone());
        tokio::spawn(async move {
            match measure(&*open, &wanted, conditions, &slot).await {
                Ok(measured) => {
                    *lock(&report) = Some(Arc::new(measured));
                    slot.run().log.push(CostEvent::Done);
                }
                Err(error) => {
                    tracing::warn!(%error, "the cost could not be measured");
                    slot.run().log.push(CostEvent::Failed(error.sentence()));
                }
            }
        });
        Ok(run)
    }

    /// The latest run, by its id.
    pub fn find(&self, id: &str) -> Option<Arc<CostRun>> {
        self.runs.find(id)
    }

    pub fn running(&self) -> Option<Arc<CostRun>> {
        self.runs.running()
    }

    /// The report of the last run that did not fail.
    pub fn report(&self) -> Option<Arc<CostReport>> {
        lock(&self.report).clone()
    }

    /// Ends the run: the server stops.
    pub async fn close(&self) {
        self.runs.close().await;
    }
}

fn lock(report: &Mutex<Option<Arc<CostReport>>>) -> MutexGuard<'_, Option<Arc<CostReport>>> {
    report.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn measure(
    open: &dyn OpenCost,
    wanted: &[String],
    conditions: Conditions,
    slot: &RunSlot<CostRun>,
) -> Result<CostReport, CostRunError> {
    let setup = open.open_cost(wanted, conditions.delay).await?;
    Ok(run(&setup, conditions, slot.closing(), |event| slot.run().log.push(event)).await?)
}
