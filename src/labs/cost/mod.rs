//! What does authenticating a request cost? The lab measures each strategy as the server calls it. It checks many logins
//! in random order and stops at the first wrong answer: failures would be fast.
//!
//! A run takes seconds and shows the order of magnitude. The benches in `benches/` take minutes and are exact.

mod experiment;
mod floors;
mod measurement;
mod population;
mod probe_plan;
mod report;
mod runs;
mod samples;
mod setup;
mod stored_bytes;
mod strategy;
mod table;
mod timing;

pub use self::experiment::{CostEvent, run};
pub use self::floors::FloorTimes;
pub use self::report::{CostReport, CostResult, DEBUG_WARNING, NotMeasured, NotMeasuredReason};
pub use self::runs::{CostRun, CostRuns, OpenCost};
pub use self::samples::Percentiles;
pub use self::setup::{COOKIE_LIMIT, Candidate, Conditions, CostSetup, LONGEST_DELAY, MOST_CLAIMS, MOST_LOGINS};
pub use self::strategy::TRIALS;
