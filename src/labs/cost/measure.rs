//! One strategy, from the first login to the last.

use std::pin::Pin;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::population::{Population, PopulationLogin};
use super::probe_plan::ProbePlan;
use super::samples::Percentiles;
use super::timing::CHURN;
use super::{COOKIE_LIMIT, Candidate, Conditions, CostSetup};
use crate::auth::{Backend, Failure, Promise};
use crate::labs::figures::Staleness;
use crate::labs::revocation::{self, LabError};
use crate::store::{Footprint, StoreError};
use crate::trace::Trace;

/// How long a channel may take to be trusted.
const CHANNEL: Duration = Duration::from_secs(3);

/// How many logins are revoked for the staleness; where each takes a whole life, one.
pub const TRIALS: usize = 12;

/// What was measured of one strategy.
#[derive(Clone, Debug, Serialize)]
pub struct CostResult {
    /// Its name.
    pub strategy: &'static str,
    /// Finding out who asks.
    pub identify_ns: Percentiles,
    /// The bare call to the same store, between the questions: a floor of another moment is another floor. `None` where
    /// no store is asked.
    pub floor_ns: Option<Percentiles>,
    /// Opening a login.
    pub issue_ns: Percentiles,
    /// Ending it.
    pub revoke_ns: Percentiles,
    /// Calls to a store for each request, from the trace.
    pub store_calls: f64,
    /// The algorithm, and the store.
    pub setup: String,
    /// The credentials as sent, in bytes.
    pub request_bytes: u64,
    /// On the server, for the first login of a user, in bytes.
    pub stored_bytes: u64,
    /// How many of these are of the user: further logins share them.
    pub user_bytes: u64,
    /// How that was weighed.
    pub stored_how: &'static str,
    /// The processor's time for finding out who asks, of this process alone, in nanoseconds. `None` with an added delay,
    /// and where the system does not tell.
    pub cpu_ns: Option<f64>,
    /// How many logins were open meanwhile.
    pub logins: usize,
    /// How many questions were timed.
    pub probes: usize,
    /// How long a revoked login goes on being accepted on another node, without the added delay.
    pub staleness_ms: Option<Staleness>,
}

/// Measures it; the inner error is a reason that belongs into the report, such as a token that is too long.
pub(super) async fn measure(
    bench: &CostSetup,
    candidate: &Candidate,
    conditions: &Conditions,
    left: Duration,
    stop: Pin<&mut impl Future<Output = ()>>,
) -> Result<Result<CostResult, String>, LabError> {
    let strategy = candidate.slug();
    let failed = |source| LabError::Failed { strategy, source };
    let plan = ProbePlan::new(conditions);
    if candidate.direct.describe().backend == Backend::Redis && bench.redis.is_absent() {
        return Ok(Err(StoreError::Absent { store: "Redis" }.sentence()));
    }
    let people = (plan.opened(conditions), CHURN);
    let crowd = Population::gather(bench, candidate, conditions, people).await.map_err(failed)?;
    let trial = CostMeasurement { bench, candidate, conditions, plan, population: &crowd };
    let outcome = tokio::select! {
        outcome = timeout(left, trial.run()) => outcome.unwrap_or_else(|_| Ok(Err("there was no time left".to_owned()))),
        () = stop => Err(LabError::Stopped),
    };
    crowd.disband().await;
    outcome
}

/// One strategy under these conditions, and its logins.
pub(super) struct CostMeasurement<'a> {
    pub bench: &'a CostSetup,
    pub candidate: &'a Candidate,
    pub conditions: &'a Conditions,
    pub plan: ProbePlan,
    pub population: &'a Population<'a>,
}

impl CostMeasurement<'_> {
    async fn run(&self) -> Result<Result<CostResult, String>, LabError> {
        let before = self.rows().await;
        let first = match self.first().await? {
            Ok(first) => first,
            Err(why) => return Ok(Err(why)),
        };
        let kept = self.stored(&first).await?;
        let logins = self.fill(first, kept).await?;
        self.renew(&logins).await?;
        let grown = self.rows().await.zip(before).map(|(after, before)| after.saturating_sub(before));
        self.warm_up(&logins).await?;
        let weight = self.weigh(&logins, grown).await?;
        let order = self.plan.order(logins.len());
        let (timed, counted) = order.split_at(self.plan.probes);
        let store_calls = self.count_calls(&logins, counted).await?;
        let (mut identify, mut floor) = self.time_questions(&logins, timed, store_calls > 0.5).await?;
        let cpu_ns = self.processor(&logins).await?;
        let (mut issue, mut revoke) = self.churn().await?;
        Ok(Ok(CostResult {
            strategy: self.candidate.slug(),
            identify_ns: identify.spread(),
            floor_ns: (floor.len() > 0).then(|| floor.spread()),
            issue_ns: issue.spread(),
            revoke_ns: revoke.spread(),
            store_calls,
            setup: self.candidate.delayed.describe().setup(),
            request_bytes: logins.first().map_or(0, |login| login.sent() as u64),
            stored_bytes: weight.login + weight.user,
            user_bytes: weight.user,
            stored_how: weight.how,
            cpu_ns,
            logins: logins.len(),
            probes: identify.len(),
            staleness_ms: Some(self.staleness().await?),
        }))
    }

    /// The first login, or why there can be none under these conditions.
    async fn first(&self) -> Result<Result<PopulationLogin, String>, LabError> {
        let candidate = self.candidate;
        let long = self.conditions.claim_bytes > 0;
        let login = match self.population.open(&*candidate.direct, &self.population.of_login(0)).await {
            Ok(login) => login,
            Err(error @ Failure::Store(_)) => return Err(self.failed(error)),
            Err(error) if long => {
                return Ok(Err(format!("No login could be opened with claims as large as this: {error}")));
            }
            Err(error) => return Err(self.failed(error)),
        };
        let bytes = candidate.direct.describe().transport.cookie.len() + login.bytes;
        if bytes > COOKIE_LIMIT {
            let words =
                format!("The cookie would have {bytes} bytes; browsers need not keep more than {COOKIE_LIMIT}.");
            return Ok(Err(words));
        }
        self.assert_known(&login, &Trace::off()).await?;
        Ok(Ok(login))
    }

    /// Opens the others: as many as are stored, or as many as are asked for where nothing is.
    async fn fill(&self, first: PopulationLogin, kept: Footprint) -> Result<Vec<PopulationLogin>, LabError> {
        let wanted = self.plan.opened(self.conditions);
        let stored = kept.rows || kept.login > 0;
        let enough = if stored { wanted } else { wanted.min(self.plan.enough()) };
        let mut logins = vec![first];
        logins.extend(self.population.fill(1, enough).await.map_err(|source| self.failed(source))?);
        Ok(logins)
    }

    /// Until the node knows every login that it is to know, and its channels are awake.
    async fn warm_up(&self, logins: &[PopulationLogin]) -> Result<(), LabError> {
        if matches!(self.candidate.delayed.describe().promise, Promise::Push { .. }) {
            let begun = Instant::now();
            while begun.elapsed() < CHANNEL && self.calls(&logins[0]).await? > 0 {
                sleep(Duration::from_millis(10)).await;
            }
        }
        for some in logins[..self.plan.warm(logins.len())].chunks(8) {
            let asked = some.iter().map(|login| async { self.assert_known(login, &Trace::off()).await });
            futures_util::future::try_join_all(asked).await?;
        }
        Ok(())
    }

    async fn staleness(&self) -> Result<Staleness, LabError> {
        let (pair, promise) = (&self.candidate.pair, self.candidate.delayed.describe().promise);
        let trials = if matches!(promise, Promise::Expiry { .. }) { 1 } else { TRIALS };
        let measured = revocation::measure(pair, &self.bench.subject, trials).await?;
        Ok(measured.staleness())
    }

    pub(super) async fn calls(&self, login: &PopulationLogin) -> Result<usize, LabError> {
        let trace = Trace::on();
        self.assert_known(login, &trace).await?;
        Ok(trace.store_calls())
    }

    pub(super) async fn assert_known(&self, login: &PopulationLogin, trace: &Trace) -> Result<(), LabError> {
        self.check(login, self.candidate.delayed.identify(&login.credentials, trace).await)
    }

    /// Fails unless the answer is this login.
    pub(super) fn check(
        &self,
        login: &PopulationLogin,
        answer: crate::auth::Result<Option<crate::auth::Identity>>,
    ) -> Result<(), LabError> {
        match answer.map_err(|source| self.failed(source))? {
            Some(identity) if identity.login == login.identity.login => Ok(()),
            _ => Err(LabError::WronglyRefused(self.candidate.slug())),
        }
    }

    pub(super) fn failed(&self, source: Failure) -> LabError {
        LabError::Failed { strategy: self.candidate.slug(), source }
    }
}
