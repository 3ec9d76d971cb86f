//! A whole request of a signed-in user, from the request to the last byte of the answer, without a socket:
//! `cargo bench --bench request`.
//!
//! `request/<slug>` is the profile page, `request/<slug>/json` is `/api/me`. Each runs alternately with its floor, a bare
//! poem endpoint: `request/floor/page`, `request/floor/json`. `/authentication` is `identify` alone, for the same logins.
//! `/rendering` is building the page with layout and panel: the total of the page's own `Server-Timing` minus cookies and
//! the steps before the page. The rest of the page is routing, middleware and headers. The table at the end adds the
//! processor time of this process and of Redis.
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
use self::stage::pairs::{Pairs, Side};
use self::stage::probes::Identify;
use self::stage::run::BenchRun;
use self::stage::timing::{bench, spawned};
use self::stage::{Stage, run_file};

/// The number of users whose pages the bench requests, one after another.
const USERS: usize = 1_024;

fn main() {
    let mut criterion = stage::criterion();
    stage::core::pin();
    let beginning = run_file::beginning();
    telemetry::count();
    let stage = Stage::open(USERS);
    let settings = stage.settings(&["--redis-url", &stage.socket_url(), "--jwt-secret", stage::SECRET]);
    let app = stage.runtime.block_on(App::open(&settings, Clock::system())).expect("the app opens");
    let requests = Requests { stage: &stage, app: &app, floors: OnceCell::new(), pairs: Pairs::default() };
    let rows: Vec<_> = app.strategies().filter_map(|strategy| requests.bench(&mut criterion, strategy)).collect();
    shares::print(&rows);
    let run = run_file::describe("request", &stage, &beginning);
    run_file::write(BenchRun { pairs: requests.pairs.ratios(), ..run });
    criterion.final_summary();
}

struct Requests<'a> {
    stage: &'a Stage,
    app: &'a App,
    /// That of the page, and that of the JSON route.
    floors: OnceCell<[Page; 2]>,
    pairs: Pairs,
}

impl Requests<'_> {
    fn floors(&self) -> &[Page; 2] {
        self.floors.get_or_init(|| {
            let jwt = self.app.strategies().find(|strategy| strategy.describe().slug == "jwt").expect("the strategy");
            let page = Page::new(self.stage, self.app, jwt);
            [self.stage.runtime.block_on(page.clone().bare_page()), page.bare_json()]
        })
    }

    /// Returns the row of the table, unless a filter skipped the page.
    fn bench(&self, criterion: &mut Criterion, strategy: &Arc<dyn AuthStrategy>) -> Option<shares::Row> {
        let (stage, slug) = (self.stage, strategy.describe().slug);
        let page = OnceCell::new();
        let page = || page.get_or_init(|| Page::new(stage, self.app, strategy)).clone();
        let ran = Cell::new(false);
        let here = || stage;
        let make = || {
            ran.set(true);
            page()
        };
        let id = format!("request/{slug}");
        let side = Side::new(&id, here, make);
        self.pairs.one(criterion, &side, &Side::new("request/floor/page", here, || self.floors()[0].clone()));
        let id = format!("{id}/json");
        let side = Side::new(&id, here, || page().json());
        self.pairs.one(criterion, &side, &Side::new("request/floor/json", here, || self.floors()[1].clone()));
        let mut group = criterion.benchmark_group("request");
        group.throughput(Throughput::Elements(1));
        // With a trace for the panel, as in a request.
        let identify = || Identify { traced: true, ..Identify::new(strategy.clone(), page().logins.clone()) };
        bench(&mut group, BenchmarkId::new(slug, "authentication"), || &stage.runtime, identify);
        group.bench_function(BenchmarkId::new(slug, "rendering"), |bencher| {
            bencher.iter_custom(|times| spawned(&stage.runtime, shares::rendering(page(), times)));
        });
        ran.get().then(|| shares::Row::measure(stage, &page(), &identify()))
    }
}
