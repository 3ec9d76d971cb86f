//! What the server stores of a login: from the stores, login by login, and from the growth of the database's tables.

use std::time::Instant;

use super::measurement::CostMeasurement;
use super::population::{FILL_LIMIT, PopulationLogin};
use crate::identity::ClientOrigin;
use crate::labs::lab_error::LabError;
use crate::store::Footprint;
use crate::trace::Trace;

/// How many logins are sampled.
const SAMPLED: usize = 60;

pub(super) struct StoredBytes {
    /// For each login.
    pub login: u64,
    /// For each user, shared by the user's logins.
    pub user: u64,
    pub how: &'static str,
}

impl CostMeasurement<'_> {
    /// The mean of some logins and of their users. They were checked before, so that copies of them exist.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bytes of a login
    pub(super) async fn stored_bytes(
        &self,
        logins: &[PopulationLogin],
        grown: Option<u64>,
    ) -> Result<StoredBytes, LabError> {
        let warm = &logins[..self.plan.warm(logins.len())];
        let (mut login, mut user, mut count, mut how, mut rows) = (0, 0, 0, "", false);
        for opened in warm.iter().step_by(warm.len().div_ceil(SAMPLED).max(1)) {
            let kept = self.footprint(opened).await?;
            (login, user, count) = (login + kept.login, user + kept.user, count + 1);
            (how, rows) = (kept.how, kept.rows);
        }
        let in_sql = grown.filter(|_| rows).unwrap_or_default() as f64 / logins.len().max(1) as f64;
        if rows && grown.is_none() {
            how = "without the tables of the database, which did not report their size in time";
        }
        let mean = |sum: u64| sum as f64 / f64::from(count.max(1));
        Ok(StoredBytes { login: (mean(login) + in_sql).round() as u64, user: mean(user).round() as u64, how })
    }

    /// Renews every login once, where a login can be renewed: the store holds more of it from then on.
    pub(super) async fn renew(&self, logins: &[PopulationLogin]) -> Result<(), LabError> {
        let strategy = &self.candidate.direct;
        if strategy.describe().transport.refresh_cookie.is_none() {
            return Ok(());
        }
        let begun = Instant::now();
        for login in logins.iter().take_while(|_| begun.elapsed() < FILL_LIMIT) {
            let renewed = strategy.renew(&login.credentials, &ClientOrigin::default(), &Trace::off()).await;
            if renewed.map_err(|error| self.failed(error))?.grant().is_none() {
                return Err(LabError::WronglyRefused(strategy.describe().slug));
            }
        }
        Ok(())
    }

    /// The size of the tables, in bytes, if the database reports it in time.
    pub(super) async fn table_bytes(&self) -> Option<u64> {
        self.setup.sql.bytes_in_use().await.ok()
    }

    pub(super) async fn footprint(&self, login: &PopulationLogin) -> Result<Footprint, LabError> {
        self.candidate.direct.footprint(&login.identity).await.map_err(|source| self.failed(source))
    }
}
