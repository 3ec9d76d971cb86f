//! The revocation experiment to watch: logins under many strategies, probed on both nodes at a steady pace, until
//! somebody revokes them all.
//!
//! The steady probes are for the picture. The figures come from the fast probes of a trial around the revoke.

mod login;
mod run;
mod run_loop;
mod runs;

pub use self::run::{CheckOutcome, LIFE, LONGEST, LiveEvent, LiveRun, LoginState};
pub use self::runs::{AT_ONCE, LiveRuns, LiveSetup, OpenLive};
pub use super::observation::Observation;
