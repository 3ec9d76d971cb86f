//! `lookup/…`: who asks? By each strategy, one request at a time and many at once.

use std::sync::Arc;

use criterion::{Criterion, Throughput};
use jwt_vs_session::auth::{AuthStrategy, Need, Promise};

use crate::stage::Stage;
use crate::stage::questions::Identify;
use crate::stage::timing::{bench, bench_in_flight, plain};

/// All of them.
pub fn all(criterion: &mut Criterion, stage: &Stage) {
    let mut group = criterion.benchmark_group("lookup");
    group.throughput(Throughput::Elements(1));
    let runtime = || &stage.runtime;
    for strategy in stage.node.strategies() {
        let slug = strategy.describe().slug;
        let ask = || Identify::new(strategy.clone(), stage.logins(slug));
        bench(&mut group, plain(slug), runtime, ask);
        if waits_for_a_store(strategy.as_ref()) {
            bench_in_flight(&mut group, slug, runtime, ask);
        }
    }
    for slug in ["jwt", "session-tracked"] {
        let untraced = || Identify { traced: false, ..Identify::new(stage.strategy(slug), stage.logins(slug)) };
        bench(&mut group, plain(&format!("{slug}-untraced")), runtime, untraced);
    }
    for algorithm in ["ES256", "EdDSA", "RS256"] {
        let name = format!("jwt-{}", algorithm.to_lowercase());
        bench(&mut group, plain(&name), runtime, || signed_by(stage, algorithm));
    }
    bench(&mut group, plain("session-tcp"), runtime, || Identify::new(over_tcp(stage), stage.logins("session")));
    group.finish();
}

/// Whether every request takes a call to a store: what takes effect at once is asked for at once.
fn waits_for_a_store(strategy: &dyn AuthStrategy) -> bool {
    let description = strategy.describe();
    description.needs != Need::Nothing && description.promise == Promise::Immediate
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
