//! How long do the node that revoked a login, and another node, still accept it?
//!
//! A trial opens a login on one node and probes both nodes at a fixed pace. It does not wait for an answer before the
//! next probe: a slow answer must not delay it. In the middle of the trial the first node revokes the login. The lab
//! reports the last probe that was sent after the answer to the revoke and still accepted, and the first probe after
//! which every probe was refused. When between the two the login ended is unknown.

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
