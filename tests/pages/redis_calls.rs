//! How many commands reach Redis: one for a page that needs it, none for a page that does not, no key for a stranger.

use std::collections::BTreeMap;

use jwt_vs_session::auth::{Backend, Promise};
use tower_sessions::session::Id;

use super::stage::{Stage, base};
use crate::common::RedisServer;
use crate::common::wire::Wire;

const VISITS: u64 = 20;

/// Commands that Redis carried out, by name, without those of the question itself.
async fn calls(redis: &RedisServer) -> BTreeMap<String, u64> {
    let value = redis.command(&["INFO", "commandstats"]).await;
    let text: String = redis::from_redis_value(value).expect("text");
    let rows = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    });
    // What keeps a connection, or proves that it is alive, belongs to no page.
    let kept = ["info", "hello", "ping", "subscribe"];
    let ours = |name: &str| !kept.contains(&name) && !name.starts_with("client");
    rows.filter(|(name, _)| ours(name)).collect()
}

#[tokio::test]
async fn a_profile_page_takes_one_redis_command_or_none() {
    for stage in Stage::on_both_databases().await {
        for mount in stage.mounts() {
            let visitor = stage.visitor(mount);
            visitor.sign_in("alice").await;
            visitor.get("/profile").await;
            let before = calls(&stage.redis).await;
            for _ in 0..VISITS {
                assert_eq!(visitor.get("/profile").await.status, 200);
            }
            let mut after = calls(&stage.redis).await;
            for (name, count) in &mut after {
                *count -= before.get(name).unwrap_or(&0);
            }
            let expected = match (mount.backend, mount.promise) {
                // Asked only while the channel cannot prove itself, as on a machine that stands still.
                (Backend::Redis, Promise::Push { .. }) => 0..=VISITS,
                (Backend::Redis, _) => VISITS..=VISITS,
                _ => 0..=0,
            };
            assert!(expected.contains(&after.values().sum::<u64>()), "{}: {after:?}", mount.slug);
        }
    }
}

#[tokio::test]
async fn strangers_and_made_up_ids_leave_nothing_behind() {
    let stage = Stage::start().await;
    let rows = rows(&stage).await;
    for mount in stage.mounts() {
        let mut wire = Wire::open(stage.app.address).await;
        // A thousand of each where a login is a key in Redis.
        let many = mount.backend == Backend::Redis && !mount.transport.bearer;
        for number in 0..if many { 1000 } else { 50 } {
            let path = ["/", "/login", "/register", "/profile", "/api/me"][number % 5];
            let path = format!("{}{path}", base(mount));
            let made_up = format!("{}={}", mount.transport.cookie, Id::default());
            for cookie in ["", &made_up] {
                let status = wire.get(&path, cookie).await.status;
                assert!([200, 303, 401].contains(&status), "{path}: {status}");
            }
        }
    }
    assert_eq!(stage.redis.keys().await, [""; 0]);
    assert_eq!(self::rows(&stage).await, rows, "nothing in the database either");
    for mount in stage.mounts() {
        stage.visitor(mount).sign_in("alice").await;
    }
    assert!(!stage.redis.keys().await.is_empty(), "a login is seen there");
}

/// How many rows each table has.
async fn rows(stage: &Stage) -> BTreeMap<String, i64> {
    use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};
    let url = format!("sqlite://{}/test.db?mode=ro", stage.app.folder.path().display());
    let pool = Database::connect(url).await.expect("the same file");
    let all = |text: String| pool.query_all_raw(Statement::from_string(DbBackend::Sqlite, text));
    let tables = all("SELECT name FROM sqlite_master WHERE type = 'table'".to_owned()).await.expect("tables");
    let mut counts = BTreeMap::new();
    for table in tables {
        let name: String = table.try_get("", "name").expect("a name");
        let row = all(format!("SELECT count(*) AS n FROM {name}")).await.expect("a count");
        counts.insert(name, row[0].try_get("", "n").expect("a number"));
    }
    counts
}
