//! EXPERIMENTS: each works on strategies and returns a report. Only the command line and pages print.

pub mod capacity;
pub mod cost;
pub mod event_log;
pub mod figures;
pub mod frontier;
mod machine;
pub mod nodes;
pub mod revocation;
