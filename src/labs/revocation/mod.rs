//! How long do the node that revoked a login, and another node, still accept it?
//!
//! A trial opens a login on one node and probes both nodes at a fixed pace. It does not wait for an answer before the
//! next probe: a slow answer must not delay it. In the middle of the trial the first node revokes the login. The lab
//! reports the last probe that was sent after the answer to the revoke and still accepted, and the first probe after
//! which every probe was refused. When between the two the login ended is unknown.
//!
//! - `measure.rs`: all trials of a strategy; `trial.rs`: one trial, its pace and its revoke.
//! - `prober.rs`: sends the probes to one node.
//! - `observation.rs`: what they show of one trial; `outcomes.rs`: of all trials of one node.
//! - `report.rs`: the result; `table.rs`: its table for the command line.
//! - `live/`: the experiment to watch.

pub mod live;
mod measure;
mod observation;
mod outcomes;
mod prober;
mod report;
mod table;
mod trial;

pub use self::measure::measure;
pub use self::report::{ByNode, RefusalPercentiles, RevocationReport, RevocationResult, StalenessPercentiles};
