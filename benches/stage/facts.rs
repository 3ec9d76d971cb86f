//! What belongs to the figures and is no time: the machine, sizes, calls. Written beside criterion's files.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_vs_session::auth::{AuthStrategy, Backend};
use jwt_vs_session::identity::{Subject, UserId};
use jwt_vs_session::labs::criterion::{BenchRun, PairedRatio, StrategyCounts};
use jwt_vs_session::labs::figures::{Method, Source};
use jwt_vs_session::trace::Trace;
use sea_orm::sqlx;

use super::Stage;
use super::logins::{self, Opened, device};

/// What one strategy showed while its logins were opened.
#[derive(Clone)]
pub struct Counted {
    store_calls: f64,
    request_bytes: u64,
    stored: Stored,
    setup: String,
}

/// What the server keeps of logins, in bytes.
#[derive(Clone, Copy, Default)]
struct Stored {
    /// Of the first login of a user.
    first: u64,
    /// Of the second.
    further: u64,
}

impl Counted {
    /// `before` is what was held before they were opened.
    pub fn new(stage: &Stage, strategy: &Arc<dyn AuthStrategy>, logins: &[Opened], before: u64) -> Self {
        let stored = if stores_nothing(stage, strategy, &logins[0]) {
            // Whatever a store grew by meanwhile is its own.
            Stored::default()
        } else if strategy.describe().shared {
            in_the_store(stage, strategy, before)
        } else {
            in_this_process(stage, strategy.describe().slug)
        };
        let renewal = |login: &Opened| login.credentials.renewal().map_or(0, str::len);
        let sent: u64 = logins.iter().map(|login| (login.credential().len() + renewal(login)) as u64).sum();
        let (store_calls, setup) = (calls(stage, strategy, &logins[0]), strategy.describe().setup());
        Self { store_calls, request_bytes: sent / logins.len() as u64, stored, setup }
    }
}

/// One login of each user is there already; then comes a second one. Where it can be renewed, it is: what is kept of a
/// login is more from then on.
fn in_the_store(stage: &Stage, strategy: &Arc<dyn AuthStrategy>, before: u64) -> Stored {
    let slug = strategy.describe().slug;
    let each = |before: u64, after: u64| after.saturating_sub(before) / stage.users().len() as u64;
    let first = held(stage, slug);
    let others = stage.runtime.block_on(logins::open(strategy, stage.users()));
    let second = held(stage, slug);
    if strategy.describe().transport.refresh_cookie.is_some() {
        for login in &others {
            let renewed = stage.runtime.block_on(strategy.renew(&login.credentials, &Trace::off()));
            assert!(renewed.expect("the stores answer").is_some(), "a login is renewed");
        }
    }
    let renewal = each(second, held(stage, slug));
    Stored { first: each(before, first) + renewal, further: each(first, second) + renewal }
}

fn stores_nothing(stage: &Stage, strategy: &Arc<dyn AuthStrategy>, login: &Opened) -> bool {
    let stored = stage.runtime.block_on(strategy.footprint(&login.identity)).expect("the stores answer");
    stored.login == 0 && stored.user == 0 && !stored.rows && strategy.describe().shared
}

/// How many bytes the store of a strategy holds now.
pub fn held(stage: &Stage, slug: &str) -> u64 {
    stage.runtime.block_on(async {
        match stage.strategy(slug).describe().backend {
            Backend::None => 0,
            Backend::Redis => redis_memory(stage).await,
            Backend::Sql => database_size(stage).await,
        }
    })
}

async fn redis_memory(stage: &Stage) -> u64 {
    let info = stage.redis.command(&["INFO", "memory"]).await;
    let info: redis::InfoDict = redis::from_redis_value(info).expect("lines");
    info.get("used_memory").expect("a number")
}

async fn database_size(stage: &Stage) -> u64 {
    let pool = stage.node.sql().pool().get_sqlite_connection_pool();
    let mut numbers = Vec::new();
    for pragma in ["page_count", "freelist_count", "page_size"] {
        let number: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("PRAGMA {pragma}")))
            .fetch_one(pool)
            .await
            .expect("a number");
        numbers.push(u64::try_from(number).expect("not negative"));
    }
    (numbers[0] - numbers[1]) * numbers[2]
}

/// What the process grows by for a login of each of many users, and for a second one.
fn in_this_process(stage: &Stage, slug: &str) -> Stored {
    const MANY: usize = 40_000;
    let node = stage.second_node(&["--redis-url", "none"]);
    let strategy = node.strategy(slug).expect("the strategy").clone();
    let user = |subject: &Subject| Subject { id: UserId::random(), ..subject.clone() };
    let subjects: Vec<_> = stage.users().iter().cycle().take(MANY).map(user).collect();
    let grown = || {
        let before = resident();
        for subject in &subjects {
            stage.runtime.block_on(strategy.issue(subject, &device(), &Trace::off())).expect("a login is opened");
        }
        resident().saturating_sub(before) / MANY as u64
    };
    Stored { first: grown(), further: grown() }
}

fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096
}

/// How many calls to a store a request makes, as its own page would tell.
fn calls(stage: &Stage, strategy: &Arc<dyn AuthStrategy>, login: &Opened) -> f64 {
    let trace = Trace::on();
    login.must_be(&stage.runtime.block_on(strategy.identify(&login.credentials, &trace)));
    let panel = serde_json::to_value(trace.panel("GET", "/", None)).expect("a panel");
    panel["store_calls"].as_f64().expect("a number")
}

/// What is only known before the bench begins.
pub struct Beginning {
    /// Milliseconds since the Unix epoch.
    at: u64,
    /// Of the machine, before the bench adds to it.
    load: Option<f64>,
}

/// Now.
pub fn beginning() -> Beginning {
    Beginning { at: millis(SystemTime::now()), load: Source::here(Method::Criterion, "").load }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("64 bits")
}

/// A name for this build of the bench: when it was written.
fn program() -> String {
    let file = std::env::current_exe().and_then(fs::metadata).and_then(|file| file.modified());
    millis(file.expect("the file of this program")).to_string()
}

/// What is known of this run.
pub fn of(stage: &Stage, beginning: &Beginning) -> BenchRun {
    let source = Source { load: beginning.load, ..Source::here(Method::Criterion, &stores(stage)) };
    let row = |(slug, counted): (&&str, &Counted)| StrategyCounts {
        strategy: (*slug).to_owned(),
        store_calls: counted.store_calls,
        request_bytes: counted.request_bytes,
        stored_bytes: counted.stored.first,
        user_bytes: counted.stored.first.saturating_sub(counted.stored.further),
        setup: Some(counted.setup.clone()),
    };
    let strategies = stage.counted.borrow().iter().map(row).collect();
    BenchRun { source, begun: beginning.at, program: program(), strategies, pairs: Vec::new() }
}

/// Writes it beside criterion's files. What the same program measured on the same machine before, of other strategies,
/// stays; then the run began when that did.
pub fn write(mut run: BenchRun) {
    let same = |old: &BenchRun| {
        (&old.source.machine, &old.source.versions, &old.program)
            == (&run.source.machine, &run.source.versions, &run.program)
    };
    if let Some(old) = BenchRun::read(&folder()).ok().filter(same) {
        run.begun = old.begun;
        let known = |row: &StrategyCounts| run.strategies.iter().any(|new| new.strategy == row.strategy);
        let others: Vec<_> = old.strategies.into_iter().filter(|row| !known(row)).collect();
        run.strategies.extend(others);
        let known =
            |pair: &PairedRatio| run.pairs.iter().any(|new| (&new.id, &new.against) == (&pair.id, &pair.against));
        let others: Vec<_> = old.pairs.into_iter().filter(|pair| !known(pair)).collect();
        run.pairs.extend(others);
    }
    let text = serde_json::to_string_pretty(&run).expect("JSON");
    let file = folder().join(BenchRun::FILE);
    fs::create_dir_all(folder()).and_then(|()| fs::write(file, text)).expect("the file is written");
}

fn stores(stage: &Stage) -> String {
    let pool = stage.node.sql().pool().get_sqlite_connection_pool();
    stage.runtime.block_on(async {
        let info = stage.redis.command(&["INFO", "server"]).await;
        let info: redis::InfoDict = redis::from_redis_value(info).expect("lines");
        let redis: String = info.get("redis_version").expect("a version");
        let sqlite: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(pool).await.expect("a version");
        format!("Redis {redis}, SQLite {sqlite}")
    })
}

/// Where criterion writes.
fn folder() -> PathBuf {
    if let Some(home) = std::env::var_os("CRITERION_HOME") {
        return home.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let usual = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target");
    target.unwrap_or_else(usual).join("criterion")
}
