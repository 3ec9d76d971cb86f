//! What the server keeps of a login: asked of the stores, login by login, and of the database's tables as a whole.

use std::time::Instant;

use super::measure::CostMeasurement;
use super::population::{FILL_LIMIT, PopulationLogin};
use crate::labs::revocation::LabError;
use crate::store::Footprint;
use crate::trace::Trace;

/// How many logins are weighed.
const WEIGHED: usize = 60;

/// Bytes on the server.
pub(super) struct StoredBytes {
    /// Of each login.
    pub login: u64,
    /// Of each user, for all of their logins.
    pub user: u64,
    pub how: &'static str,
}

impl CostMeasurement<'_> {
    /// The averages of what some logins and their users take. They were asked for before: what is only kept of those is
    /// there.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bytes of a login
    pub(super) async fn weigh(&self, logins: &[PopulationLogin], grown: Option<u64>) -> Result<StoredBytes, LabError> {
        let warm = &logins[..self.plan.warm(logins.len())];
        let (mut login, mut user, mut count, mut how, mut rows) = (0, 0, 0, "", false);
        for opened in warm.iter().step_by(warm.len().div_ceil(WEIGHED).max(1)) {
            let kept = self.stored(opened).await?;
            (login, user, count) = (login + kept.login, user + kept.user, count + 1);
            (how, rows) = (kept.how, kept.rows);
        }
        let in_sql = grown.filter(|_| rows).unwrap_or_default() as f64 / logins.len().max(1) as f64;
        if rows && grown.is_none() {
            how = "not weighed whole: the database did not say in time what its tables take";
        }
        let mean = |sum: u64| sum as f64 / f64::from(count.max(1));
        Ok(StoredBytes { login: (mean(login) + in_sql).round() as u64, user: mean(user).round() as u64, how })
    }

    /// Renews every login once that can be: what is kept of a login is more from then on.
    pub(super) async fn renew(&self, logins: &[PopulationLogin]) -> Result<(), LabError> {
        let strategy = &self.candidate.direct;
        if strategy.describe().transport.refresh_cookie.is_none() {
            return Ok(());
        }
        let begun = Instant::now();
        for login in logins.iter().take_while(|_| begun.elapsed() < FILL_LIMIT) {
            let renewed =
                strategy.renew(&login.credentials, &Trace::off()).await.map_err(|error| self.failed(error))?;
            if renewed.is_none() {
                return Err(LabError::WronglyRefused(strategy.describe().slug));
            }
        }
        Ok(())
    }

    /// What the tables take now, if the database says it in time.
    pub(super) async fn rows(&self) -> Option<u64> {
        self.bench.sql.bytes_in_use().await.ok()
    }

    pub(super) async fn stored(&self, login: &PopulationLogin) -> Result<Footprint, LabError> {
        self.candidate.direct.footprint(&login.identity).await.map_err(|source| self.failed(source))
    }
}
