//! The revocation experiment to watch: logins under many strategies, probed on both nodes at a steady pace, until
//! somebody revokes them all.
//!
//! The steady probes are for the picture. The figures come from the fast probes of a trial around the revoke.
//!
//! - `runs.rs`: the runs of a server; `run.rs`: one run, its events and the states of its logins.
//! - `run_loop.rs`: its course; `login.rs`: opens, checks, revokes and measures one login.

mod login;
mod run;
mod run_loop;
mod runs;

pub use self::run::{CheckOutcome, LIVE_LOGIN_LIFE, LIVE_RUN_LIMIT, LiveEvent, LiveRun, LoginState};
pub use self::runs::{AT_ONCE, LiveRuns, LiveSetup, OpenLive};
pub use super::observation::Observation;
