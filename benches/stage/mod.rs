//! The set-up of the benches: a node as a server composes it, with its own Redis and database, users and open logins.
#![allow(dead_code)] // each bench uses a part

pub mod bare;
pub mod bulk;
pub mod core;
pub mod counts;
pub mod hs256;
pub mod logins;
pub mod pairs;
pub mod probes;
pub mod processor;
#[path = "../report/run.rs"]
pub mod run;
pub mod run_file;
pub mod timing;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::Criterion;
use jwt_vs_session::app::Node;
use jwt_vs_session::auth::AuthStrategy;
use jwt_vs_session::clock::Clock;
use jwt_vs_session::config::Settings;
use jwt_vs_session::identity::Subject;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use self::logins::OpenLogin;
use self::run::StrategyCounts;
use crate::common::{self, RedisServer};

/// The number of logins that a bench checks one after another. A single login would stay in the processor's cache.
pub const LOGINS: usize = 4096;

/// Further users, whose logins the benches open and revoke.
pub const GUESTS: usize = 64;

/// The secret behind every HS256 token of a bench.
pub const SECRET: &str = "a secret for benches, of more than thirty-two bytes";

/// Longer than any bench, so no login expires and no session slides during a measurement.
pub const LIVES: [&str; 6] = ["--access-ttl", "24h", "--short-ttl", "24h", "--session-idle", "11h"];

/// Stops its processes when it is dropped.
pub struct Stage {
    pub runtime: Runtime,
    pub redis: RedisServer,
    pub node: Node,
    pub subjects: Vec<Subject>,
    pub folder: TempDir,
    opened: RefCell<BTreeMap<&'static str, Arc<[OpenLogin]>>>,
    pub counts: RefCell<BTreeMap<&'static str, StrategyCounts>>,
}

impl Stage {
    /// Starts Redis on a Unix socket and on loopback, opens SQLite in a temporary folder, and adds users for `logins`.
    pub fn open(logins: usize) -> Self {
        // With several workers, chance would decide which of them an answer wakes.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("redis.sock");
        let redis = runtime.block_on(RedisServer::start_with(&["--unixsocket", socket.to_str().expect("a path")]));
        let url = format!("redis+unix://{}", socket.display());
        let node = runtime.block_on(open_node(folder.path(), &["--redis-url", &url, "--jwt-secret", SECRET]));
        let subjects = runtime.block_on(bulk::users(node.sql().pool(), logins + GUESTS));
        Self { runtime, redis, node, subjects, folder, opened: RefCell::default(), counts: RefCell::default() }
    }

    /// The URL of Redis' Unix socket.
    pub fn socket_url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("redis.sock").display())
    }

    /// Another node on the same stores.
    pub fn second_node(&self, more: &[&str]) -> Node {
        self.node_in(self.folder.path(), more)
    }

    /// Another node, with its database in this folder.
    pub fn node_in(&self, folder: &Path, more: &[&str]) -> Node {
        self.runtime.block_on(open_node(folder, more))
    }

    /// Settings of a node on the stage's database.
    pub fn settings(&self, more: &[&str]) -> Settings {
        settings(self.folder.path(), more)
    }

    /// The users whose logins the benches check.
    pub fn users(&self) -> &[Subject] {
        &self.subjects[..self.subjects.len() - GUESTS]
    }

    /// The users whose logins the benches open and revoke.
    pub fn guests(&self) -> &[Subject] {
        &self.subjects[self.subjects.len() - GUESTS..]
    }

    /// A client of its own for Redis, over TCP.
    pub fn redis_client(&self) -> redis::Client {
        redis::Client::open(self.redis.url()).expect("a client")
    }

    pub fn strategy(&self, slug: &str) -> Arc<dyn AuthStrategy> {
        self.node.strategy(slug).unwrap_or_else(|| panic!("there is no strategy {slug}")).clone()
    }

    /// An open login of each user under a strategy, in random order. The first call opens them.
    pub fn logins(&self, slug: &str) -> Arc<[OpenLogin]> {
        let strategy = self.strategy(slug);
        let name = strategy.describe().slug;
        if let Some(known) = self.opened.borrow().get(name) {
            return known.clone();
        }
        let (before, opened) = (counts::bytes_held(self, name), self.open_under(&strategy));
        let counts = counts::count(self, &strategy, &opened, before);
        self.counts.borrow_mut().insert(name, counts);
        self.opened.borrow_mut().insert(name, opened.clone());
        opened
    }

    /// Opens logins under a strategy of another node.
    pub fn open_under(&self, strategy: &Arc<dyn AuthStrategy>) -> Arc<[OpenLogin]> {
        let opened = self.runtime.block_on(logins::open(strategy, self.users()));
        self.ready(strategy, opened)
    }

    /// Puts logins into a random order and fills the node's caches with them.
    pub fn ready(&self, strategy: &Arc<dyn AuthStrategy>, mut opened: Vec<OpenLogin>) -> Arc<[OpenLogin]> {
        logins::shuffle(&mut opened);
        self.runtime.block_on(logins::warm(strategy, &opened));
        opened.into()
    }
}

/// The time for each bench: all of them take a few minutes.
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(50)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .nresamples(10_000)
        .configure_from_args()
}

fn settings(folder: &Path, more: &[&str]) -> Settings {
    let mut options = LIVES.to_vec();
    options.extend(more);
    common::settings(folder, &options)
}

async fn open_node(folder: &Path, more: &[&str]) -> Node {
    Node::open(&settings(folder, more), Clock::system()).await.expect("the stores open")
}
