//! EXPERIMENTS on strategies: each returns a report. Only the command line and the pages print.

pub mod capacity;
pub mod cost;
pub mod event_log;
pub mod figures;
pub mod frontier;
pub mod lab_error;
mod machine;
pub mod nodes;
pub mod revocation;
pub mod runs;
mod text_table;
