//! What it costs to know who somebody is: `cargo bench --bench lookup`.
//!
//! Every iteration asks a strategy for another one of thousands of logins, through the object that a server's mount
//! holds, and stops the bench unless the answer is exactly that login. `floor/…` is the bare work behind it. Redis and
//! the database are this bench's own, and on the same core, see `stage/core.rs`.
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
}

use self::stage::{LOGINS, Stage, facts};

fn main() {
    let mut criterion = stage::criterion();
    stage::core::pin();
    let load = facts::load();
    let stage = Stage::open(LOGINS);
    lookup::proof::a_wrong_answer_stops_the_bench(&stage);
    lookup::identify::all(&mut criterion, &stage);
    lookup::hits::all(&mut criterion, &stage);
    lookup::life::all(&mut criterion, &stage);
    facts::write(&stage, load);
    drop(stage);
    lookup::scale::all(&mut criterion);
    criterion.final_summary();
}
