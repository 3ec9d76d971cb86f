//! What is timed and counted of a strategy: questions beside their floor, calls, the processor, opening and ending.

use std::time::{Duration, Instant};

use super::measure::CostMeasurement;
use super::population::PopulationLogin;
use super::samples::{Budget, Samples, Shuffle};
use crate::auth::{Backend, Effect, RevokeScope};
use crate::labs::machine;
use crate::labs::revocation::LabError;
use crate::store::Floors;
use crate::trace::Trace;

/// How many are opened and ended one by one.
pub(super) const CHURN: usize = 100;

/// How long one kind of call is repeated.
const TIME: Duration = Duration::from_millis(600);

/// How long the processor's time is watched, whose clock ticks a hundred times a second.
const CPU_TIME: Duration = Duration::from_millis(300);

impl CostMeasurement<'_> {
    /// The questions, and the bare calls to the store between them.
    pub(super) async fn time_questions(
        &self,
        logins: &[PopulationLogin],
        order: &[usize],
        asks: bool,
    ) -> Result<(Samples, Samples), LabError> {
        let (mut samples, mut floor, begun) = (Samples::default(), Samples::default(), Instant::now());
        let floors = Floors::new(self.bench.redis.clone(), self.bench.sql.clone());
        let needs = if asks { self.candidate.delayed.describe().backend } else { Backend::None };
        if needs == Backend::Redis {
            floors.insert_record().await.map_err(|error| self.failed(error.into()))?;
        }
        let budget = Budget { most: order.len(), time: TIME };
        for (number, place) in order.iter().enumerate().take_while(|(number, _)| budget.allows(*number, begun)) {
            let (login, trace) = (&logins[*place], Trace::off());
            let asked = Instant::now();
            let answer = self.candidate.delayed.identify(&login.credentials, &trace).await;
            samples.add(asked);
            self.check(login, answer)?;
            let asked = Instant::now();
            let bare = match needs {
                Backend::None => None,
                Backend::Redis => Some(floors.get().await),
                Backend::Sql => Some(floors.select().await),
            };
            if let Some(bare) = bare {
                bare.map_err(|error| self.failed(error.into()))?;
                floor.add(asked);
            }
            if number % 32 == 0 {
                tokio::task::yield_now().await;
            }
        }
        if needs == Backend::Redis {
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

    /// The processor's time for one question, averaged over many.
    #[allow(clippy::cast_precision_loss)] // some millions
    pub(super) async fn processor(&self, logins: &[PopulationLogin]) -> Result<Option<f64>, LabError> {
        if !self.conditions.delay.is_zero() || self.conditions.hit_rate < 100 {
            return Ok(None);
        }
        let Some(before) = machine::cpu_time() else { return Ok(None) };
        let (begun, mut shuffle, mut asked) = (Instant::now(), Shuffle::new(), 0_u64);
        let warm = self.plan.warm(logins.len());
        while begun.elapsed() < CPU_TIME {
            for _ in 0..32 {
                self.assert_known(&logins[shuffle.below(warm)], &Trace::off()).await?;
                asked += 1;
            }
            tokio::task::yield_now().await;
        }
        Ok(machine::cpu_time().map(|after| after.saturating_sub(before).as_nanos() as f64 / asked as f64))
    }

    /// Opens logins and ends them, each before the next.
    pub(super) async fn churn(&self) -> Result<(Samples, Samples), LabError> {
        let (mut issue, mut revoke, begun) = (Samples::default(), Samples::default(), Instant::now());
        let (far, budget) = (&self.candidate.delayed, Budget { most: CHURN, time: 2 * TIME });
        for number in (0..CHURN).take_while(|number| budget.allows(*number, begun)) {
            let subject = self.population.other(number);
            let asked = Instant::now();
            let login = self.population.open(&**far, &subject).await.map_err(|source| self.failed(source))?;
            issue.add(asked);
            self.assert_known(&login, &Trace::off()).await?;
            let asked = Instant::now();
            let effect = far.revoke(&login.identity, RevokeScope::This, &Trace::off()).await;
            revoke.add(asked);
            let at_once = !matches!(effect.map_err(|source| self.failed(source))?, Effect::At(_));
            let answer = far.identify(&login.credentials, &Trace::off()).await.map_err(|source| self.failed(source))?;
            if at_once && answer.is_some() {
                return Err(LabError::StillAccepted(self.candidate.slug()));
            }
        }
        Ok((issue, revoke))
    }
}
