//! EXPERIMENTS: each works on strategies and returns a report. Only the command line and pages print.

pub mod cost;
pub mod figures;
pub mod live;
pub mod log;
mod machine;
pub mod nodes;
pub mod revocation;
mod trial;
