//! Benchmarks authentication: `cargo bench --bench lookup`.
//!
//! Each iteration checks another one of thousands of logins, through the object that a server's mount holds. Any outcome
//! but exactly that login stops the bench. `floor/…` is the bare work behind a check, `plain/…` the textbook's way. The
//! bench starts its own Redis and database, on the same core, see `stage/core.rs`. A check runs alternately with its
//! floor, see `stage/pairs.rs`.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

#[path = "../tests/common/mod.rs"]
mod common;
mod stage;

mod lookup {
    pub mod floor;
    pub mod hits;
    pub mod identify;
    pub mod life;
    pub mod plain;
    pub mod proof;
    pub mod scale;
}

use self::stage::pairs::Pairs;
use self::stage::run::BenchRun;
use self::stage::{LOGINS, Stage, run_file};

fn main() {
    let mut criterion = stage::criterion();
    stage::core::pin();
    let beginning = run_file::beginning();
    let stage = Stage::open(LOGINS);
    lookup::proof::a_wrong_answer_stops_the_bench(&stage);
    let pairs = Pairs::default();
    lookup::identify::all(&mut criterion, &stage, &pairs);
    lookup::hits::all(&mut criterion, &stage);
    lookup::life::all(&mut criterion, &stage);
    lookup::plain::all(&mut criterion, &stage);
    let run = run_file::describe("lookup", &stage, &beginning);
    // Written now, too: many people will not wait for the million logins that follow.
    run_file::write(BenchRun { pairs: pairs.ratios(), ..run.clone() });
    drop(stage);
    lookup::scale::all(&mut criterion, &pairs);
    run_file::write(BenchRun { pairs: pairs.ratios(), ..run });
    criterion.final_summary();
}
