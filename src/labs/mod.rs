//! EXPERIMENTS on strategies: each returns a report. Only the command line and the pages print.
//!
//! - `cost/`: the time and the bytes of a login; `revocation/`: the staleness after a revoke.
//! - `figures.rs`: the measured figures, which `frontier/` draws and `capacity/` calculates with.
//! - `nodes.rs`: each strategy on two nodes; `machine.rs`: where the figures are measured.
//! - `runs.rs`: the runs of a server; `event_log.rs`: their events. `lab_error.rs`, `text_table.rs`: errors, tables.

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
