//! The commands that reach Redis: one for a page that needs it, none for a page that does not. A request without a login
//! leaves no key.

use std::collections::BTreeMap;

use jwt_vs_session::auth::{Backend, Promise};
use tower_sessions::session::Id;

use super::server::{TestServer, base};
use crate::common::wire::Wire;
use crate::common::{RedisServer, log_in};

const REQUESTS: u64 = 20;

/// The commands that Redis carried out, by name, without that of this count.
async fn calls(redis: &RedisServer) -> BTreeMap<String, u64> {
    let value = redis.command(&["INFO", "commandstats"]).await;
    let text: String = redis::from_redis_value(value).expect("text");
    let rows = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    });
    // These keep connections alive, and belong to no page.
    let kept = ["info", "hello", "ping", "subscribe"];
    let ours = |name: &str| !kept.contains(&name) && !name.starts_with("client");
    rows.filter(|(name, _)| ours(name)).collect()
}

#[tokio::test]
async fn a_profile_page_takes_one_redis_command_or_none() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let client = server.client(mount);
            client.demo_login("alice").await;
            client.get("/profile").await;
            let before = calls(&server.redis).await;
            for _ in 0..REQUESTS {
                assert_eq!(client.get("/profile").await.status, 200);
            }
            let mut after = calls(&server.redis).await;
            for (name, count) in &mut after {
                *count -= before.get(name).unwrap_or(&0);
            }
            let expected = match (mount.backend, mount.promise) {
                // Reads Redis only while the push channel is unproven, as on a machine that stands still.
                (Backend::Redis, Promise::Push { .. }) => 0..=REQUESTS,
                (Backend::Redis, _) => REQUESTS..=REQUESTS,
                _ => 0..=0,
            };
            assert!(expected.contains(&after.values().sum::<u64>()), "{}: {after:?}", mount.slug);
        }
    }
}

/// On the runtime of the program, which otherwise writes each command by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn commands_in_flight_share_their_system_calls() {
    const CONNECTIONS: usize = 32;
    let server = TestServer::start().await;
    let mount = server.mounts().iter().find(|mount| mount.backend == Backend::Redis && !mount.transport.bearer);
    let mount = mount.expect("a mount whose logins are in Redis");
    let cookie = log_in(&server.app, &base(mount), mount.transport.cookie, "alice").await;
    let request = format!("GET {}/api/me HTTP/1.1\r\nhost: localhost\r\ncookie: {cookie}\r\n\r\n", base(mount));
    let mut wires = Vec::new();
    for _ in 0..CONNECTIONS {
        wires.push(Wire::open(server.app.address).await);
    }
    let before = reads(&server.redis).await;
    // On the worker of the server: all requests are there before it reads the first one.
    let rounds = tokio::spawn(async move {
        for _ in 0..10 {
            for wire in &mut wires {
                wire.send(&request).await;
            }
            for wire in &mut wires {
                assert_eq!(wire.reply().await.status, 200);
            }
        }
    });
    rounds.await.expect("every request is answered");
    let reads = reads(&server.redis).await - before;
    println!("320 commands, {reads} reads of Redis");
    assert!(reads < 160, "{reads} reads for 320 commands");
}

/// How often Redis has read from its connections.
async fn reads(redis: &RedisServer) -> u64 {
    let info: redis::InfoDict = redis::from_redis_value(redis.command(&["INFO", "stats"]).await).expect("lines");
    info.get("total_reads_processed").expect("a number")
}

#[tokio::test]
async fn requests_without_a_login_leave_no_key_and_no_row() {
    let server = TestServer::start().await;
    let rows = rows(&server).await;
    for mount in server.mounts() {
        let mut wire = Wire::open(server.app.address).await;
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
    assert_eq!(server.redis.keys().await, [""; 0]);
    assert_eq!(self::rows(&server).await, rows, "nothing in the database either");
    for mount in server.mounts() {
        server.client(mount).demo_login("alice").await;
    }
    assert!(!server.redis.keys().await.is_empty(), "a login is seen there");
}

/// How many rows each table has.
async fn rows(server: &TestServer) -> BTreeMap<String, i64> {
    use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};
    let url = format!("sqlite://{}/test.db?mode=ro", server.app.folder.path().display());
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
