//! A whole profile page of a signed-in user, from the request to the last byte of the answer, without a socket:
//! `cargo bench --bench request`.
//!
//! `request/<slug>` is the page. `/authentication` is `identify` alone, for the same logins. `/rendering` is building the
//! page with layout and panel: the total of the page's own `Server-Timing` minus cookies and the steps before the page.
//! The rest of the page is routing, middleware and headers. The table at the end adds the processor time of this process
//! and of Redis.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

#[path = "../tests/common/mod.rs"]
mod common;
mod stage;

mod request {
    pub mod page;
    pub mod shares;
}

use std::cell::{Cell, OnceCell};

use criterion::{BenchmarkId, Criterion, Throughput};
use jwt_vs_session::app::App;
use jwt_vs_session::auth::AuthStrategy;
use jwt_vs_session::clock::Clock;
use jwt_vs_session::telemetry;
use std::sync::Arc;

use self::request::page::Page;
use self::request::shares;
use self::stage::Stage;
use self::stage::probes::Identify;
use self::stage::timing::{bench, plain, spawned};

/// The number of users whose pages the bench requests, one after another.
const USERS: usize = 1_024;

fn main() {
    let mut criterion = stage::criterion();
    stage::core::pin();
    telemetry::count();
    let stage = Stage::open(USERS);
    let settings = stage.settings(&["--redis-url", &stage.socket_url(), "--jwt-secret", stage::SECRET]);
    let app = stage.runtime.block_on(App::open(&settings, Clock::system())).expect("the app opens");
    let mut table = Vec::new();
    for strategy in app.strategies() {
        table.extend(one(&mut criterion, &stage, &app, strategy));
    }
    shares::print(&table);
    criterion.final_summary();
}

/// Returns the row of the table, unless a filter skipped the strategy.
fn one(criterion: &mut Criterion, stage: &Stage, app: &App, strategy: &Arc<dyn AuthStrategy>) -> Option<shares::Row> {
    let mut group = criterion.benchmark_group("request");
    group.throughput(Throughput::Elements(1));
    let slug = strategy.describe().slug;
    let page = OnceCell::new();
    let page = || page.get_or_init(|| Page::new(stage, app, strategy)).clone();
    let ran = Cell::new(false);
    bench(
        &mut group,
        plain(slug),
        || &stage.runtime,
        || {
            ran.set(true);
            page()
        },
    );
    // With a trace for the panel, as in a request.
    let identify = || Identify { traced: true, ..Identify::new(strategy.clone(), page().logins.clone()) };
    bench(&mut group, BenchmarkId::new(slug, "authentication"), || &stage.runtime, identify);
    group.bench_function(BenchmarkId::new(slug, "rendering"), |bencher| {
        bencher.iter_custom(|times| spawned(&stage.runtime, shares::rendering(page(), times)));
    });
    ran.get().then(|| shares::Row::measure(stage, &page(), &identify()))
}
