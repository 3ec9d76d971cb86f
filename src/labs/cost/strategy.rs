//! One strategy, from the first login to the last.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::time::{sleep, timeout};

use super::measurement::CostMeasurement;
use super::population::{Population, PopulationLogin};
use super::probe_plan::ProbePlan;
use super::report::{CostResult, NotMeasuredReason};
use super::setup::{COOKIE_LIMIT, Candidate, Conditions, CostSetup};
use super::timing::CHURN;
use crate::auth::{Backend, Failure, Promise};
use crate::labs::figures::Staleness;
use crate::labs::lab_error::LabError;
use crate::labs::revocation;
use crate::store::Footprint;
use crate::trace::Trace;

/// How long the lab waits for a push channel to be trusted.
const CHANNEL: Duration = Duration::from_secs(3);

/// How many logins are revoked for the staleness; one, where each takes a whole life.
pub const TRIALS: usize = 12;

/// Why a strategy has no result.
pub(super) enum NoResult {
    /// It cannot be measured under these conditions. The report says so, and the run goes on.
    NotMeasured(NotMeasuredReason),
    /// The run ends.
    Failed(LabError),
}

impl From<NotMeasuredReason> for NoResult {
    fn from(reason: NotMeasuredReason) -> Self {
        Self::NotMeasured(reason)
    }
}

impl From<LabError> for NoResult {
    fn from(error: LabError) -> Self {
        Self::Failed(error)
    }
}

/// Measures the strategy within the time that is `left`, and revokes its logins.
pub(super) async fn measure(
    setup: &CostSetup,
    candidate: &Candidate,
    conditions: &Conditions,
    left: Duration,
    stop: Pin<&mut impl Future<Output = ()>>,
) -> Result<CostResult, NoResult> {
    let plan = ProbePlan::new(conditions);
    if candidate.direct.describe().backend == Backend::Redis && setup.redis.is_absent() {
        return Err(NotMeasuredReason::WithoutRedis.into());
    }
    let people = (plan.opened(conditions), CHURN);
    let population = Population::gather(setup, candidate, conditions, people)
        .await
        .map_err(|source| LabError::Failed { strategy: candidate.slug(), source })?;
    let measurement = CostMeasurement { setup, candidate, conditions, plan, population: &population };
    let outcome = tokio::select! {
        outcome = timeout(left, measurement.run()) => outcome.unwrap_or(Err(NotMeasuredReason::OutOfTime.into())),
        () = stop => Err(LabError::Stopped.into()),
    };
    population.disband().await;
    outcome
}

impl CostMeasurement<'_> {
    async fn run(&self) -> Result<CostResult, NoResult> {
        let before = self.table_bytes().await;
        let first = self.first().await?;
        let footprint = self.footprint(&first).await?;
        let logins = self.fill(first, footprint).await?;
        self.renew(&logins).await?;
        let grown = self.table_bytes().await.zip(before).map(|(after, before)| after.saturating_sub(before));
        self.warm_up(&logins).await?;
        let stored = self.stored_bytes(&logins, grown).await?;
        let order = self.plan.order(logins.len());
        let (timed, counted) = order.split_at(self.plan.probes);
        let store_calls = self.count_calls(&logins, counted).await?;
        let (mut identify, mut floor) = self.time_checks(&logins, timed, store_calls > 0.5).await?;
        let cpu_ns = self.processor_time(&logins).await?;
        let (mut issue, mut revoke) = self.churn().await?;
        Ok(CostResult {
            strategy: self.candidate.slug(),
            identify_ns: identify.percentiles(),
            floor_ns: (floor.len() > 0).then(|| floor.percentiles()),
            issue_ns: issue.percentiles(),
            revoke_ns: revoke.percentiles(),
            store_calls,
            setup: self.candidate.delayed.describe().setup(),
            request_bytes: logins.first().map_or(0, |login| login.sent() as u64),
            stored_bytes: stored.login + stored.user,
            user_bytes: stored.user,
            stored_how: stored.how,
            cpu_ns,
            logins: logins.len(),
            probes: identify.len(),
            staleness_ms: Some(self.staleness().await?),
        })
    }

    async fn first(&self) -> Result<PopulationLogin, NoResult> {
        let candidate = self.candidate;
        let opened = self.population.open(&*candidate.direct, &self.population.of_login(0)).await;
        let login = opened.map_err(|error| match error {
            error @ Failure::Store(_) => NoResult::Failed(self.failed(error)),
            error if self.conditions.claim_bytes > 0 => NotMeasuredReason::ClaimsTooLarge(Arc::new(error)).into(),
            error => self.failed(error).into(),
        })?;
        let bytes = candidate.direct.describe().transport.cookie.len() + login.bytes;
        if bytes > COOKIE_LIMIT {
            return Err(NotMeasuredReason::CookieTooLarge { bytes }.into());
        }
        self.check(&login, &Trace::off()).await?;
        Ok(login)
    }

    /// Opens the others: the number of the conditions, or fewer where the strategy stores nothing.
    async fn fill(&self, first: PopulationLogin, footprint: Footprint) -> Result<Vec<PopulationLogin>, LabError> {
        let wanted = self.plan.opened(self.conditions);
        let is_stored = footprint.rows || footprint.login > 0;
        let enough = if is_stored { wanted } else { wanted.min(self.plan.enough()) };
        let mut logins = vec![first];
        logins.extend(self.population.fill(1, enough).await.map_err(|source| self.failed(source))?);
        Ok(logins)
    }

    /// Waits until the push channel is trusted, then checks the logins that the node must know before.
    async fn warm_up(&self, logins: &[PopulationLogin]) -> Result<(), LabError> {
        if matches!(self.candidate.delayed.describe().promise, Promise::Push { .. }) {
            let begun = Instant::now();
            while begun.elapsed() < CHANNEL && self.calls(&logins[0]).await? > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        }
        for some in logins[..self.plan.warm(logins.len())].chunks(8) {
            try_join_all(some.iter().map(|login| async { self.check(login, &Trace::off()).await })).await?;
        }
        Ok(())
    }

    async fn staleness(&self) -> Result<Staleness, LabError> {
        let (pair, promise) = (&self.candidate.pair, self.candidate.delayed.describe().promise);
        let trials = if promise.only_expires() { 1 } else { TRIALS };
        let measured = revocation::measure(pair, &self.setup.subject, trials, || true).await?;
        Ok(measured.staleness())
    }
}
