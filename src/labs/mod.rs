//! EXPERIMENTS: each works on strategies and returns a report. Only the command line and pages print.

mod asking;
pub mod capacity;
pub mod cost;
pub mod criterion;
pub mod document;
pub mod figures;
pub mod frontier;
pub mod live;
pub mod log;
mod machine;
pub mod nodes;
mod reading;
pub mod revocation;
pub mod targets;
mod trial;
