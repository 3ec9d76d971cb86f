//! One strategy under the conditions of a run, with its logins; and the check that every answer must pass.

use super::population::{Population, PopulationLogin};
use super::probe_plan::ProbePlan;
use super::setup::{Candidate, Conditions, CostSetup};
use crate::auth::{Failure, Identity};
use crate::labs::lab_error::LabError;
use crate::trace::Trace;

pub(super) struct CostMeasurement<'a> {
    pub setup: &'a CostSetup,
    pub candidate: &'a Candidate,
    pub conditions: &'a Conditions,
    pub plan: ProbePlan,
    pub population: &'a Population<'a>,
}

impl CostMeasurement<'_> {
    /// How many calls to a store one check makes.
    pub async fn calls(&self, login: &PopulationLogin) -> Result<usize, LabError> {
        let trace = Trace::on();
        self.check(login, &trace).await?;
        Ok(trace.store_calls())
    }

    /// Fails unless the strategy accepts the login.
    pub async fn check(&self, login: &PopulationLogin, trace: &Trace) -> Result<(), LabError> {
        self.expect(login, self.candidate.delayed.identify(&login.credentials, trace).await)
    }

    /// Fails unless the answer is this login.
    pub fn expect(
        &self,
        login: &PopulationLogin,
        answer: crate::auth::Result<Option<Identity>>,
    ) -> Result<(), LabError> {
        match answer.map_err(|source| self.failed(source))? {
            Some(identity) if identity.login == login.identity.login => Ok(()),
            _ => Err(LabError::WronglyRefused(self.candidate.slug())),
        }
    }

    pub fn failed(&self, source: impl Into<Failure>) -> LabError {
        LabError::Failed { strategy: self.candidate.slug(), source: source.into() }
    }
}
