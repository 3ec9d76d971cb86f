//! Counts the bytes and the store calls of each strategy.

use std::fs;
use std::sync::Arc;

use jwt_vs_session::auth::{AuthStrategy, Backend};
use jwt_vs_session::identity::{ClientOrigin, Subject, UserId};
use jwt_vs_session::trace::Trace;
use sea_orm::sqlx;

use super::Stage;
use super::logins::{self, OpenLogin, device};
use super::run::StrategyCounts;

/// The bytes that the server stores for the first login of a user, and for each further one.
#[derive(Clone, Copy, Default)]
struct StoredBytes {
    first: u64,
    further: u64,
}

/// `before` is the number of bytes that the store held before these logins were opened.
pub fn count(stage: &Stage, strategy: &Arc<dyn AuthStrategy>, logins: &[OpenLogin], before: u64) -> StrategyCounts {
    let description = strategy.describe();
    let stored = if stores_nothing(stage, strategy, &logins[0]) {
        // The store may have grown for other reasons.
        StoredBytes::default()
    } else if description.shared {
        in_the_store(stage, strategy, before)
    } else {
        in_this_process(stage, description.slug)
    };
    let renewal = |login: &OpenLogin| login.credentials.renewal().map_or(0, str::len);
    let sent: u64 = logins.iter().map(|login| (login.credential().len() + renewal(login)) as u64).sum();
    StrategyCounts {
        strategy: description.slug.to_owned(),
        store_calls: store_calls(stage, strategy, &logins[0]),
        request_bytes: sent / logins.len() as u64,
        stored_bytes: stored.first,
        user_bytes: stored.first.saturating_sub(stored.further),
        setup: Some(description.setup()),
    }
}

/// One login of each user is open already; this opens a second one. It also renews it where that is possible, because
/// the store keeps more for a login after its first renewal.
fn in_the_store(stage: &Stage, strategy: &Arc<dyn AuthStrategy>, before: u64) -> StoredBytes {
    let slug = strategy.describe().slug;
    let each = |before: u64, after: u64| after.saturating_sub(before) / stage.users().len() as u64;
    let first = bytes_held(stage, slug);
    let others = stage.runtime.block_on(logins::open(strategy, stage.users()));
    let second = bytes_held(stage, slug);
    if strategy.describe().transport.refresh_cookie.is_some() {
        for login in &others {
            let renewed =
                stage.runtime.block_on(strategy.renew(&login.credentials, &ClientOrigin::default(), &Trace::off()));
            assert!(renewed.expect("the stores answer").grant().is_some(), "a login is renewed");
        }
    }
    let renewal = each(second, bytes_held(stage, slug));
    StoredBytes { first: each(before, first) + renewal, further: each(first, second) + renewal }
}

fn stores_nothing(stage: &Stage, strategy: &Arc<dyn AuthStrategy>, login: &OpenLogin) -> bool {
    let footprint = stage.runtime.block_on(strategy.footprint(&login.identity)).expect("the stores answer");
    footprint.login == 0 && footprint.user == 0 && !footprint.rows && strategy.describe().shared
}

/// The number of bytes that the store of a strategy holds now.
pub fn bytes_held(stage: &Stage, slug: &str) -> u64 {
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

/// Measures how much the process grows for a login of each of many users, and for a second one.
fn in_this_process(stage: &Stage, slug: &str) -> StoredBytes {
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
    StoredBytes { first: grown(), further: grown() }
}

fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096
}

/// The number of store calls of a check, as the panel on a page would show it.
fn store_calls(stage: &Stage, strategy: &Arc<dyn AuthStrategy>, login: &OpenLogin) -> f64 {
    let trace = Trace::on();
    login.must_be(&stage.runtime.block_on(strategy.identify(&login.credentials, &trace)));
    #[allow(clippy::cast_precision_loss)] // a handful
    let calls = trace.store_calls() as f64;
    calls
}
