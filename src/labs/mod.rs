//! EXPERIMENTS: each works on strategies and returns a report. Only the command line and pages print.

pub mod nodes;
pub mod revocation;
