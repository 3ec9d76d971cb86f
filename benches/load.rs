//! The whole server under load, over sockets: `cargo bench --bench load`.
//!
//! The server runs as a process of its own, with one worker, on a core of its own. The client and Redis share another
//! core. Each connection of the client belongs to another login and has one request in flight. `load/<slug>` is
//! the profile page, `load/<slug>/json` is `/api/me`; `load/floor/…` are bare poem servers. The bench measures the
//! processor time of the server and Redis, and asserts the success of every request.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

#[path = "../tests/common/mod.rs"]
mod common;
mod stage;

mod load {
    pub mod client;
    pub mod floor;
    pub mod process;
    pub mod rounds;
    pub mod sample;
    pub mod scene;
    pub mod table;
}

use clap::Parser;
use regex::Regex;
use tokio::runtime::Builder;

use self::load::floor::{self, Floor};
use self::load::rounds::Rounds;
use self::load::scene::Scene;
use self::load::table;
use self::stage::run::BenchRun;
use self::stage::{Stage, run_file};

/// The targets are for this number.
const CONNECTIONS: usize = 32;

/// Benchmark the whole server under load
#[derive(Parser)]
#[command(name = "cargo bench --bench load --")]
struct Arguments {
    /// Measure only the ids that this pattern matches, such as jwt
    filter: Option<Regex>,
    /// The number of connections, each with one request in flight. The report reads only a run with the default
    #[arg(long, default_value_t = CONNECTIONS, value_name = "COUNT")]
    connections: usize,
    /// cargo passes it to every bench
    #[arg(long, hide = true)]
    bench: bool,
    /// Be a floor instead, for the bench that starts this program
    #[arg(long, hide = true)]
    floor: Option<Floor>,
    #[arg(long, hide = true, default_value_t = 0)]
    padding: usize,
    #[arg(long, hide = true, default_value = "")]
    redis_url: String,
}

fn main() {
    let Arguments { filter, connections, floor, padding, redis_url, .. } = Arguments::parse();
    if let Some(floor) = floor {
        return floor::serve(floor, padding, &redis_url);
    }
    let core = stage::core::pin_apart_from_server();
    if core.is_none() {
        eprintln!("this machine has one core for the client, Redis and the server: latencies say little");
    }
    let beginning = run_file::beginning();
    // Of its users the server needs none: it adds the demo users.
    let stage = Stage::open(0);
    let run = run_file::describe("load", &stage, &beginning);
    let mut scene = Scene::new(stage, core, connections);
    // With one thread: the client must not need more than its core.
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let rounds = runtime.block_on(async {
        scene.start().await;
        Rounds::run(&mut scene, filter.as_ref()).await
    });
    let (loads, pairs) = (rounds.figures(), rounds.ratios());
    table::print(&loads, &pairs);
    if connections == CONNECTIONS {
        run_file::write(BenchRun { pairs, loads, ..run });
    }
}
