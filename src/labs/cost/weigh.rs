//! What the server keeps of a login: asked of the stores, login by login, and of the database's tables as a whole.

use super::crowd::Opened;
use super::measure::Trial;
use crate::auth::Stored;
use crate::labs::revocation::LabError;
use crate::trace::Trace;

/// How many logins are weighed.
const WEIGHED: usize = 60;

/// How many logins are renewed to see what that leaves behind.
const RENEWED: usize = 1000;

/// Bytes on the server.
pub(super) struct Weight {
    /// Of each login.
    pub login: u64,
    /// Of each user, for all of their logins.
    pub user: u64,
    pub how: &'static str,
}

impl Trial<'_> {
    /// The averages of what some logins and their users take. They were asked for before: what is only kept of those is
    /// there.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bytes of a login
    pub(super) async fn weigh(&self, logins: &[Opened], grown: Option<u64>) -> Result<Weight, LabError> {
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
        Ok(Weight { login: (mean(login) + in_sql).round() as u64, user: mean(user).round() as u64, how })
    }

    /// Renews some logins once. `None` where nothing is left behind, and where the database does not tell.
    pub(super) async fn left_behind(&self, logins: &[Opened]) -> Result<Option<u64>, LabError> {
        let strategy = &self.candidate.near;
        if strategy.describe().upkeep.is_none_or(|upkeep| upkeep.kept_ms == 0) {
            return Ok(None);
        }
        let before = self.rows().await;
        let some = &logins[..logins.len().min(RENEWED)];
        for login in some {
            let renewed = strategy.renew(&login.presented, &Trace::off()).await.map_err(|error| self.failed(error))?;
            if renewed.is_none() {
                return Err(LabError::WronglyRefused(strategy.describe().slug));
            }
        }
        let grown = self.rows().await.zip(before).map(|(after, before)| after.saturating_sub(before));
        Ok(grown.map(|bytes| bytes / some.len().max(1) as u64))
    }

    /// What the tables take now, if the database says it in time.
    pub(super) async fn rows(&self) -> Option<u64> {
        self.bench.sql.bytes_in_use().await.ok()
    }

    pub(super) async fn stored(&self, login: &Opened) -> Result<Stored, LabError> {
        self.candidate.near.stored(&login.identity).await.map_err(|source| self.failed(source))
    }
}
