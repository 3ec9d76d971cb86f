//! What is timed and counted of a strategy: checks beside their floor, store calls, processor time, log in and revoke.

use std::time::{Duration, Instant};

use super::measurement::CostMeasurement;
use super::population::PopulationLogin;
use super::probe_plan::random;
use super::samples::{Budget, Samples};
use crate::auth::{Backend, Effect, RevokeScope};
use crate::labs::lab_error::LabError;
use crate::labs::machine;
use crate::store::Floors;
use crate::trace::Trace;

/// How many logins are opened and revoked one by one.
pub(super) const CHURN: usize = 100;

/// How long calls of one kind are repeated.
const TIME: Duration = Duration::from_millis(600);

/// How long the processor time is measured.
const CPU_TIME: Duration = Duration::from_millis(100);

impl CostMeasurement<'_> {
    /// Times the checks, and if they call a store, the bare calls between them.
    pub(super) async fn time_checks(
        &self,
        logins: &[PopulationLogin],
        order: &[usize],
        calls_store: bool,
    ) -> Result<(Samples, Samples), LabError> {
        let (mut samples, mut floor, first) = (Samples::default(), Samples::default(), Instant::now());
        let floors = Floors::new(self.setup.redis.clone(), self.setup.sql.clone());
        let backend = if calls_store { self.candidate.delayed.describe().backend } else { Backend::None };
        if backend == Backend::Redis {
            floors.insert_record().await.map_err(|error| self.failed(error))?;
        }
        let budget = Budget { most: order.len(), time: TIME };
        for (number, place) in order.iter().enumerate().take_while(|(number, _)| budget.allows(*number, first)) {
            let (login, trace) = (&logins[*place], Trace::off());
            let begun = Instant::now();
            let answer = self.candidate.delayed.identify(&login.credentials, &trace).await;
            samples.add(begun);
            self.expect(login, answer)?;
            let begun = Instant::now();
            let bare = match backend {
                Backend::None => None,
                Backend::Redis => Some(floors.get().await),
                Backend::Sql => Some(floors.select().await),
            };
            if let Some(bare) = bare {
                bare.map_err(|error| self.failed(error))?;
                floor.add(begun);
            }
            if number % 32 == 0 {
                tokio::task::yield_now().await;
            }
        }
        if backend == Backend::Redis {
            floors.delete_record().await;
        }
        Ok((samples, floor))
    }

    #[allow(clippy::cast_precision_loss)] // some hundreds
    pub(super) async fn count_calls(&self, logins: &[PopulationLogin], order: &[usize]) -> Result<f64, LabError> {
        let mut calls = 0;
        for place in order {
            calls += self.calls(&logins[*place]).await?;
        }
        Ok(calls as f64 / order.len().max(1) as f64)
    }

    /// The mean processor time of a check, in nanoseconds. `None` with an added delay or with misses.
    pub(super) async fn processor_time(&self, logins: &[PopulationLogin]) -> Result<Option<f64>, LabError> {
        if !self.conditions.delay.is_zero() || self.conditions.hit_rate < 100 {
            return Ok(None);
        }
        let (begun, mut random, mut checks) = (Instant::now(), random(), 0_u32);
        let (warm, before) = (self.plan.warm(logins.len()), machine::cpu_time());
        while begun.elapsed() < CPU_TIME {
            for _ in 0..32 {
                self.check(&logins[random.usize(..warm)], &Trace::off()).await?;
                checks += 1;
            }
            tokio::task::yield_now().await;
        }
        let took = machine::cpu_time().saturating_sub(before);
        Ok(Some(took.as_secs_f64() * 1e9 / f64::from(checks.max(1))))
    }

    /// Opens logins and revokes each before the next.
    pub(super) async fn churn(&self) -> Result<(Samples, Samples), LabError> {
        let (mut issue, mut revoke, first) = (Samples::default(), Samples::default(), Instant::now());
        let (far, budget) = (&self.candidate.delayed, Budget { most: CHURN, time: 2 * TIME });
        for number in (0..CHURN).take_while(|number| budget.allows(*number, first)) {
            let subject = self.population.other(number);
            let begun = Instant::now();
            let login = self.population.open(&**far, &subject).await.map_err(|source| self.failed(source))?;
            issue.add(begun);
            self.check(&login, &Trace::off()).await?;
            let begun = Instant::now();
            let effect = far.revoke(&login.identity, RevokeScope::This, &Trace::off()).await;
            revoke.add(begun);
            let at_once = !matches!(effect.map_err(|source| self.failed(source))?, Effect::At(_));
            let answer = far.identify(&login.credentials, &Trace::off()).await.map_err(|source| self.failed(source))?;
            if at_once && answer.is_some() {
                return Err(LabError::StillAccepted(self.candidate.slug()));
            }
        }
        Ok((issue, revoke))
    }
}
