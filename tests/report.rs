//! The report on the benches, with files that look like criterion's. No bench runs.
#![allow(clippy::expect_used)]

#[path = "../benches/report/mod.rs"]
mod report;

#[path = "report/choose.rs"]
mod choose;
#[path = "report/figures.rs"]
mod figures;
#[path = "report/load.rs"]
mod load;
