//! What belongs to the figures and is no time: the machine, sizes, calls. Written beside criterion's files.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use jwt_vs_session::auth::{AuthStrategy, Need};
use jwt_vs_session::labs::criterion::{Facts, Pair, Run};
use jwt_vs_session::labs::figures::{Method, Source};
use jwt_vs_session::trace::Trace;
use sea_orm::sqlx;

use super::Stage;
use super::logins::{Opened, device};

/// What one strategy showed while its logins were opened.
#[derive(Clone, Copy)]
pub struct Counted {
    store_calls: f64,
    request_bytes: u64,
    stored_bytes: u64,
}

impl Counted {
    /// `before` is what was held before they were opened.
    pub fn new(stage: &Stage, strategy: &Arc<dyn AuthStrategy>, logins: &[Opened], before: u64) -> Self {
        let slug = strategy.describe().slug;
        let each = |bytes: u64| bytes / logins.len() as u64;
        let stored_bytes = if stores_nothing(stage, strategy, &logins[0]) {
            // Whatever a store grew by meanwhile is its own.
            0
        } else if strategy.describe().shared {
            each(held(stage, slug).saturating_sub(before))
        } else {
            in_this_process(stage, slug)
        };
        let request_bytes = each(logins.iter().map(|login| login.credential().len() as u64).sum());
        Self { store_calls: calls(stage, strategy, &logins[0]), request_bytes, stored_bytes }
    }
}

fn stores_nothing(stage: &Stage, strategy: &Arc<dyn AuthStrategy>, login: &Opened) -> bool {
    let stored = stage.runtime.block_on(strategy.stored(&login.identity)).expect("the stores answer");
    stored.login == 0 && stored.user == 0 && !stored.rows && strategy.describe().shared
}

/// How many bytes the store of a strategy holds now.
pub fn held(stage: &Stage, slug: &str) -> u64 {
    stage.runtime.block_on(async {
        match stage.strategy(slug).describe().needs {
            Need::Nothing => 0,
            Need::Redis => redis_memory(stage).await,
            Need::Sql => database_size(stage).await,
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

/// What the process grows by for each of many logins.
fn in_this_process(stage: &Stage, slug: &str) -> u64 {
    const MANY: u64 = 40_000;
    let node = stage.second_node(&["--redis-url", "none"]);
    let strategy = node.strategy(slug).expect("the strategy").clone();
    let before = resident();
    stage.runtime.block_on(async {
        for subject in stage.users().iter().cycle().take(usize::try_from(MANY).expect("64 bits")) {
            strategy.issue(subject, &device(), &Trace::off()).await.expect("a login is opened");
        }
    });
    resident().saturating_sub(before) / MANY
}

fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096
}

/// How many calls to a store a request makes, as its own page would tell.
fn calls(stage: &Stage, strategy: &Arc<dyn AuthStrategy>, login: &Opened) -> f64 {
    let trace = Trace::on();
    login.must_be(&stage.runtime.block_on(strategy.identify(&login.presented, &trace)));
    let panel = serde_json::to_value(trace.panel("GET", "/", None)).expect("a panel");
    panel["store_calls"].as_f64().expect("a number")
}

/// The load of the machine, before the bench adds to it.
pub fn load() -> Option<f64> {
    Source::here(Method::Criterion, "").load
}

/// What is known of this run.
pub fn of(stage: &Stage, load: Option<f64>) -> Run {
    let source = Source { load, ..Source::here(Method::Criterion, &stores(stage)) };
    let row = |(slug, counted): (&&str, &Counted)| Facts {
        strategy: (*slug).to_owned(),
        store_calls: counted.store_calls,
        request_bytes: counted.request_bytes,
        stored_bytes: counted.stored_bytes,
    };
    let strategies = stage.counted.borrow().iter().map(row).collect();
    Run { source, strategies, pairs: Vec::new() }
}

/// Writes it beside criterion's files. What another run on the same machine knows of other strategies stays.
pub fn write(mut run: Run) {
    if let Ok(old) = Run::read(&folder())
        && (&old.source.machine, &old.source.versions) == (&run.source.machine, &run.source.versions)
    {
        let known = |row: &Facts| run.strategies.iter().any(|new| new.strategy == row.strategy);
        let others: Vec<_> = old.strategies.into_iter().filter(|row| !known(row)).collect();
        run.strategies.extend(others);
        let known = |pair: &Pair| run.pairs.iter().any(|new| (&new.id, &new.against) == (&pair.id, &pair.against));
        let others: Vec<_> = old.pairs.into_iter().filter(|pair| !known(pair)).collect();
        run.pairs.extend(others);
    }
    let text = serde_json::to_string_pretty(&run).expect("JSON");
    let file = folder().join(Run::FILE);
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
