//! What it costs to know who somebody is: `cargo bench --bench lookup`.
//!
//! Every iteration asks a strategy for another one of thousands of logins, through the object that a server's mount
//! holds, and stops the bench unless the answer is exactly that login. `floor/…` is the bare work behind it. Redis and
//! the database are this bench's own, and on the same core, see `stage/core.rs`. What is held against a floor takes turns
//! with it, see `lookup/turns.rs`.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

#[path = "../tests/common/mod.rs"]
mod common;
mod stage;

mod lookup {
    pub mod floor;
    pub mod hits;
    pub mod identify;
    pub mod life;
    pub mod proof;
    pub mod scale;
    pub mod turns;
}

use jwt_vs_session::labs::criterion::BenchRun;

use self::lookup::turns::Turns;
use self::stage::{LOGINS, Stage, facts};

fn main() {
    let mut criterion = stage::criterion();
    stage::core::pin();
    let beginning = facts::beginning();
    let stage = Stage::open(LOGINS);
    lookup::proof::a_wrong_answer_stops_the_bench(&stage);
    let turns = Turns::default();
    lookup::identify::all(&mut criterion, &stage, &turns);
    lookup::hits::all(&mut criterion, &stage);
    lookup::life::all(&mut criterion, &stage);
    let run = facts::of(&stage, &beginning);
    // Now, too: the million logins that follow may be more than somebody waits for.
    facts::write(BenchRun { pairs: turns.pairs(), ..run.clone() });
    drop(stage);
    lookup::scale::all(&mut criterion, &turns);
    facts::write(BenchRun { pairs: turns.pairs(), ..run });
    criterion.final_summary();
}
