//! Reads what `cargo bench` left behind, compares it with the targets and writes `docs/figures.md`.

pub mod command;
pub mod criterion;
pub mod document;
pub mod plain;
pub mod run;
pub mod targets;
