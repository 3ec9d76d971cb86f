//! What the benches stand on: one node as a server composes it, a Redis and a database of its own, users, open logins.
#![allow(dead_code)] // each bench uses its part

pub mod bulk;
pub mod core;
pub mod facts;
pub mod hs256;
pub mod logins;
pub mod questions;
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

use self::facts::Counted;
use self::logins::Opened;
use crate::common::{self, RedisServer};

/// How many logins are asked for in turn: one that is asked for again and again would live in the processor's cache.
pub const LOGINS: usize = 4096;

/// Further users, whose logins come and go.
pub const GUESTS: usize = 64;

/// The key of every HS256 token of a bench.
pub const SECRET: &str = "a secret for benches, of more than thirty-two bytes";

/// Longer than any bench: nothing expires and nothing slides while it is measured.
const LIVES: [&str; 6] = ["--access-ttl", "24h", "--short-ttl", "24h", "--session-idle", "11h"];

/// Stops its processes when it is dropped.
pub struct Stage {
    pub runtime: Runtime,
    pub redis: RedisServer,
    pub node: Node,
    pub subjects: Vec<Subject>,
    pub folder: TempDir,
    opened: RefCell<BTreeMap<&'static str, Arc<[Opened]>>>,
    pub counted: RefCell<BTreeMap<&'static str, Counted>>,
}

impl Stage {
    /// Redis on a Unix socket and on loopback, SQLite in a folder that goes when the bench ends; users for so many logins.
    pub fn open(logins: usize) -> Self {
        // With more than one worker, chance would decide which of them an answer wakes.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("redis.sock");
        let redis = runtime.block_on(RedisServer::start_with(&["--unixsocket", socket.to_str().expect("a path")]));
        let url = format!("redis+unix://{}", socket.display());
        let node = runtime.block_on(open_node(folder.path(), &["--redis-url", &url, "--jwt-secret", SECRET]));
        let subjects = runtime.block_on(bulk::users(node.sql().pool(), logins + GUESTS));
        Self { runtime, redis, node, subjects, folder, opened: RefCell::default(), counted: RefCell::default() }
    }

    /// The address of Redis' Unix socket.
    pub fn socket_url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("redis.sock").display())
    }

    /// Another node on the same stores.
    pub fn second_node(&self, more: &[&str]) -> Node {
        self.node_in(self.folder.path(), more)
    }

    /// Another node, whose database is in this folder.
    pub fn node_in(&self, folder: &Path, more: &[&str]) -> Node {
        self.runtime.block_on(open_node(folder, more))
    }

    /// Settings of a node on the stage's database.
    pub fn settings(&self, more: &[&str]) -> Settings {
        settings(self.folder.path(), more)
    }

    /// Users whose logins are asked for.
    pub fn users(&self) -> &[Subject] {
        &self.subjects[..self.subjects.len() - GUESTS]
    }

    /// Users whose logins come and go.
    pub fn guests(&self) -> &[Subject] {
        &self.subjects[self.subjects.len() - GUESTS..]
    }

    /// A client for Redis that is not the node's, over TCP.
    pub fn redis_client(&self) -> redis::Client {
        redis::Client::open(self.redis.url()).expect("a client")
    }

    /// A strategy of the node.
    pub fn strategy(&self, slug: &str) -> Arc<dyn AuthStrategy> {
        self.node.strategy(slug).unwrap_or_else(|| panic!("there is no strategy {slug}")).clone()
    }

    /// An open login of each user under a strategy, in a shuffled order. Opened at the first call.
    pub fn logins(&self, slug: &str) -> Arc<[Opened]> {
        let strategy = self.strategy(slug);
        let name = strategy.describe().slug;
        if let Some(known) = self.opened.borrow().get(name) {
            return known.clone();
        }
        let (before, opened) = (facts::held(self, name), self.opened_under(&strategy));
        let counted = Counted::new(self, &strategy, &opened, before);
        self.counted.borrow_mut().insert(name, counted);
        self.opened.borrow_mut().insert(name, opened.clone());
        opened
    }

    /// The same of a strategy that is not the node's own.
    pub fn opened_under(&self, strategy: &Arc<dyn AuthStrategy>) -> Arc<[Opened]> {
        let opened = self.runtime.block_on(logins::open(strategy, self.users()));
        self.ready(strategy, opened)
    }

    /// Logins in a shuffled order, known to the node as well as they will be.
    pub fn ready(&self, strategy: &Arc<dyn AuthStrategy>, mut opened: Vec<Opened>) -> Arc<[Opened]> {
        logins::shuffle(&mut opened);
        self.runtime.block_on(logins::warm(strategy, &opened));
        opened.into()
    }
}

/// How long each bench takes: all of them a few minutes.
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
