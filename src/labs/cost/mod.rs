//! What does authenticating a request cost? The lab measures each strategy as the server calls it. It checks many logins
//! in random order and stops at the first wrong answer: failures would be fast.
//!
//! A run takes seconds and shows the order of magnitude. The benches in `benches/` take minutes and are exact.
//!
//! - `runs.rs`: the runs of a server; `experiment.rs`: one run; `setup.rs`: its strategies, stores and conditions.
//! - `strategy.rs`: one strategy, from the first login to the last; `measurement.rs`: the check of each answer.
//! - `population.rs`: its logins and users; `probe_plan.rs`: which logins are checked, in which order.
//! - `timing.rs`: what is timed and counted; `stored_bytes.rs`: the bytes; `samples.rs`: times and percentiles.
//! - `floors.rs`: the bare calls; `report.rs`: the result; `table.rs`: its table for the command line.

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
