//! Why an experiment has no report.

use crate::auth::Failure;

#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A store failed, outside of the probes.
    #[error("{strategy}: {source}")]
    Failed { strategy: &'static str, source: Failure },
    #[error("{0}: a probe panicked")]
    Panicked(&'static str),
    #[error("{0}: the strategy refused a login that it had just opened")]
    NeverAccepted(&'static str),
    #[error("{0}: the strategy refused a login that was not revoked, so the lab stopped")]
    WronglyRefused(&'static str),
    #[error("{0}: the strategy accepted a login after it was revoked")]
    StillAccepted(&'static str),
    /// That no probe was accepted then proves nothing.
    #[error("{0}: no probe after the revoke was accepted or refused, so the lab measured nothing")]
    Unanswered(&'static str),
    #[error("a bare call to a store did not return the record that was inserted")]
    Floor,
    /// Somebody stopped the experiment.
    #[error("the experiment was stopped, and its logins are revoked")]
    Stopped,
}
