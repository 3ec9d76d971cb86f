//! `lookup/…`: who asks? By each strategy, one request at a time and many at once.

use std::sync::Arc;

use criterion::{Criterion, Throughput};
use jwt_vs_session::auth::{AuthStrategy, Backend, Promise};

use crate::lookup::floor::{self, Hs256};
use crate::lookup::turns::{Side, Turns};
use crate::stage::Stage;
use crate::stage::questions::{Identify, RedisGet, SqlSelect};
use crate::stage::timing::{bench, bench_in_flight, plain};

/// All of them. What a floor bounds takes turns with it: a machine changes within minutes.
pub fn all(criterion: &mut Criterion, stage: &Stage, turns: &Turns) {
    let here = || stage;
    let ask = |slug: &'static str| move || Identify::new(stage.strategy(slug), stage.logins(slug));
    let (jwt, tracked) = (ask("jwt"), ask("session-tracked"));
    floor::of_memory(criterion, stage);
    let floor = Side::new("floor/jwt", here, || Hs256::new(&stage.logins("jwt")));
    turns.one(criterion, &Side::new("lookup/jwt", here, jwt), &floor);
    let side = Side::new("lookup/session-tracked", here, tracked);
    turns.one(criterion, &side, &Side::new("lookup/jwt", here, jwt));
    for slug in ["jwt", "session-tracked"] {
        // What the panel on every page costs beyond the check.
        let traced = || Identify { traced: true, ..Identify::new(stage.strategy(slug), stage.logins(slug)) };
        one(criterion, stage, &format!("{slug}-traced"), traced);
    }
    for algorithm in ["ES256", "EdDSA", "RS256"] {
        one(criterion, stage, &format!("jwt-{}", algorithm.to_lowercase()), || signed_by(stage, algorithm));
    }
    strategy(criterion, stage, "session-memory");
    floor::of_redis(criterion, stage);
    let get = |url: String| move || stage.runtime.block_on(RedisGet::new(&url, &stage.logins("session")));
    let side = Side::new("lookup/session-tcp", here, || Identify::new(over_tcp(stage), stage.logins("session")));
    turns.one(criterion, &side, &Side::new("floor/redis-get-tcp", here, get(stage.redis.url())));
    let side = Side::new("lookup/session", here, ask("session"));
    turns.many(criterion, &side, &Side::new("floor/redis-get", here, get(stage.socket_url())));
    strategy(criterion, stage, "jwt-blocklist");
    floor::of_sql(criterion, stage);
    let pool = stage.node.sql().pool().get_sqlite_connection_pool();
    let select = || SqlSelect::new(pool.clone(), stage.logins("session-sql"));
    let side = Side::new("lookup/session-sql", here, ask("session-sql"));
    turns.many(criterion, &side, &Side::new("floor/sql-select", here, select));
    strategy(criterion, stage, "jwt-generation");
    // Whatever has no floor of its own.
    let all = stage.node.strategies().map(|strategy| strategy.describe().slug);
    for slug in all.filter(|slug| !PLACED.contains(slug)) {
        strategy(criterion, stage, slug);
    }
}

/// The strategies that have a place beside a floor.
const PLACED: [&str; 7] =
    ["jwt", "session-tracked", "session-memory", "session", "jwt-blocklist", "session-sql", "jwt-generation"];

/// A strategy one at a time and, if it waits for a store, with many in flight.
fn strategy(criterion: &mut Criterion, stage: &Stage, slug: &str) {
    let strategy = stage.strategy(slug);
    let ask = || Identify::new(strategy.clone(), stage.logins(slug));
    one(criterion, stage, slug, ask);
    if waits_for_a_store(strategy.as_ref()) {
        let mut group = criterion.benchmark_group("lookup");
        group.throughput(Throughput::Elements(1));
        bench_in_flight(&mut group, slug, || &stage.runtime, ask);
    }
}

fn one(criterion: &mut Criterion, stage: &Stage, name: &str, question: impl Fn() -> Identify) {
    let mut group = criterion.benchmark_group("lookup");
    group.throughput(Throughput::Elements(1));
    bench(&mut group, plain(name), || &stage.runtime, question);
}

/// Whether every request takes a call to a store: what takes effect at once is asked for at once.
fn waits_for_a_store(strategy: &dyn AuthStrategy) -> bool {
    let description = strategy.describe();
    description.backend != Backend::None && description.promise == Promise::Immediate
}

/// The strategy `jwt` with another signature.
fn signed_by(stage: &Stage, algorithm: &str) -> Identify {
    // A folder of its own: the key is kept beside the database.
    let folder = stage.folder.path().join(algorithm);
    std::fs::create_dir(&folder).expect("a folder");
    let node = stage.node_in(&folder, &["--redis-url", &stage.socket_url(), "--jwt-algorithm", algorithm]);
    let strategy = node.strategy("jwt").expect("the strategy").clone();
    let logins = stage.opened_under(&strategy);
    Identify::new(strategy, logins)
}

/// `session` on another node, which reaches the same Redis over TCP.
fn over_tcp(stage: &Stage) -> Arc<dyn AuthStrategy> {
    let node = stage.second_node(&["--redis-url", &stage.redis.url()]);
    node.strategy("session").expect("the strategy").clone()
}
