//! What the server keeps of a login: asked of the stores, login by login, and of the database's tables as a whole.

use super::crowd::Opened;
use super::measure::Trial;
use crate::auth::Stored;
use crate::labs::revocation::LabError;

/// How many logins are weighed.
const WEIGHED: usize = 60;

impl Trial<'_> {
    /// The average of what some logins take, with their share of what their user takes.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bytes of a login
    pub(super) async fn weigh(&self, logins: &[Opened], grown: Option<u64>) -> Result<(u64, &'static str), LabError> {
        let step = logins.len().div_ceil(WEIGHED).max(1);
        let (mut sum, mut count, mut how, mut rows) = (0.0, 0.0, "", false);
        for login in logins.iter().step_by(step) {
            let of_user = logins.iter().filter(|other| other.identity.subject.id == login.identity.subject.id).count();
            let kept = self.stored(login).await?;
            sum += kept.login as f64 + kept.user as f64 / of_user.max(1) as f64;
            count += 1.0;
            (how, rows) = (kept.how, kept.rows);
        }
        let in_sql = grown.filter(|_| rows).unwrap_or_default() as f64 / logins.len().max(1) as f64;
        if rows && grown.is_none() {
            how = "not weighed whole: the database did not say in time what its tables take";
        }
        Ok(((sum / f64::max(count, 1.0) + in_sql).round() as u64, how))
    }

    /// What the tables take now, if the database says it in time.
    pub(super) async fn rows(&self) -> Option<u64> {
        self.bench.sql.bytes_in_use().await.ok()
    }

    pub(super) async fn stored(&self, login: &Opened) -> Result<Stored, LabError> {
        self.candidate.near.stored(&login.identity).await.map_err(|source| self.failed(source))
    }
}
