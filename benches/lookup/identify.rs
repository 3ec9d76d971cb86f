//! `lookup/…`: the check of each strategy, one at a time and several in flight.

use std::sync::Arc;

use criterion::{Criterion, Throughput};
use jwt_vs_session::auth::{AuthStrategy, Backend, Promise};

use crate::lookup::floor::{self, Hs256};
use crate::stage::Stage;
use crate::stage::pairs::{Pairs, Side};
use crate::stage::probes::{Identify, RedisGet, SqlSelect};
use crate::stage::timing::{bench, bench_in_flight, plain};

pub fn all(criterion: &mut Criterion, stage: &Stage, pairs: &Pairs) {
    let here = || stage;
    let check = |slug: &'static str| move || Identify::new(stage.strategy(slug), stage.logins(slug));
    let (jwt, tracked) = (check("jwt"), check("session-tracked"));
    floor::of_memory(criterion, stage);
    let floor = Side::new("floor/jwt", here, || Hs256::new(&stage.logins("jwt")));
    pairs.one(criterion, &Side::new("lookup/jwt", here, jwt), &floor);
    let side = Side::new("lookup/session-tracked", here, tracked);
    pairs.one(criterion, &side, &Side::new("lookup/jwt", here, jwt));
    for slug in ["jwt", "session-tracked"] {
        // The cost of the trace: each request keeps one for the panel on its page.
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
    pairs.one(criterion, &side, &Side::new("floor/redis-get-tcp", here, get(stage.redis.url())));
    let side = Side::new("lookup/session", here, check("session"));
    pairs.many(criterion, &side, &Side::new("floor/redis-get", here, get(stage.socket_url())));
    strategy(criterion, stage, "jwt-blocklist");
    floor::of_sql(criterion, stage);
    let pool = stage.node.sql().pool().get_sqlite_connection_pool();
    let select = || SqlSelect::new(pool.clone(), stage.logins("session-sql"));
    let side = Side::new("lookup/session-sql", here, check("session-sql"));
    pairs.many(criterion, &side, &Side::new("floor/sql-select", here, select));
    strategy(criterion, stage, "jwt-generation");
    // The strategies that no line above names.
    let all = stage.node.strategies().map(|strategy| strategy.describe().slug);
    for slug in all.filter(|slug| !NAMED.contains(slug)) {
        strategy(criterion, stage, slug);
    }
}

const NAMED: [&str; 7] =
    ["jwt", "session-tracked", "session-memory", "session", "jwt-blocklist", "session-sql", "jwt-generation"];

/// Benches a strategy one check at a time and, if it waits for a store, with several in flight.
fn strategy(criterion: &mut Criterion, stage: &Stage, slug: &str) {
    let strategy = stage.strategy(slug);
    let check = || Identify::new(strategy.clone(), stage.logins(slug));
    one(criterion, stage, slug, check);
    if waits_for_a_store(strategy.as_ref()) {
        let mut group = criterion.benchmark_group("lookup");
        group.throughput(Throughput::Elements(1));
        bench_in_flight(&mut group, slug, || &stage.runtime, check);
    }
}

fn one(criterion: &mut Criterion, stage: &Stage, name: &str, probe: impl Fn() -> Identify) {
    let mut group = criterion.benchmark_group("lookup");
    group.throughput(Throughput::Elements(1));
    bench(&mut group, plain(name), || &stage.runtime, probe);
}

/// Whether each check calls a store: the strategies whose revoke takes effect immediately do.
fn waits_for_a_store(strategy: &dyn AuthStrategy) -> bool {
    let description = strategy.describe();
    description.backend != Backend::None && description.promise == Promise::Immediate
}

/// The strategy `jwt` with another signing algorithm.
fn signed_by(stage: &Stage, algorithm: &str) -> Identify {
    // A folder of its own: the key is kept beside the database.
    let folder = stage.folder.path().join(algorithm);
    std::fs::create_dir(&folder).expect("a folder");
    let node = stage.node_in(&folder, &["--redis-url", &stage.socket_url(), "--jwt-algorithm", algorithm]);
    let strategy = node.strategy("jwt").expect("the strategy").clone();
    let logins = stage.open_under(&strategy);
    Identify::new(strategy, logins)
}

/// `session` on another node, which reaches the same Redis over TCP.
fn over_tcp(stage: &Stage) -> Arc<dyn AuthStrategy> {
    let node = stage.second_node(&["--redis-url", &stage.redis.url()]);
    node.strategy("session").expect("the strategy").clone()
}
