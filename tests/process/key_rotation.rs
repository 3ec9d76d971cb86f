//! A key is replaced on two nodes under load, and no login is lost.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::program::{Program, command, run};
use crate::common::{DEMO_PASSWORD, LONG_PATIENCE, PATIENCE, RedisServer, bare_client, folder, until_within};

const MOUNTS: [&str; 5] = ["/jwt", "/jwt-blocklist", "/jwt-pushed", "/jwt-generation", "/jwt-refresh"];

/// Browsers at once under each mount.
const CLIENTS: usize = 2;

/// The life of every access token: short, so that the test sees the old key's last token expire.
const TOKEN_LIFE: &str = "5s";

/// Refused within this time after the log in, a login counts as lost. Later the token may have expired on its way.
const COUNTS: Duration = Duration::from_secs(4);

/// The nodes that run, by their addresses.
type Nodes = Arc<Mutex<Vec<SocketAddr>>>;

/// What the load saw.
#[derive(Default)]
struct Seen {
    checks: usize,
    logins: usize,
    renewals: usize,
    lost: Vec<String>,
}

/// One login under load: every request goes to another node, and again if the connection broke.
struct LoadClient {
    mount: &'static str,
    http: reqwest::Client,
    nodes: Nodes,
    turn: usize,
    seen: Arc<Mutex<Seen>>,
}

impl LoadClient {
    async fn send(&mut self, path: &str, body: Option<&Value>, token: Option<&str>) -> (u16, Value) {
        let begun = Instant::now();
        loop {
            self.turn += 1;
            let node = {
                let nodes = self.nodes.lock().expect("no panic");
                nodes[self.turn % nodes.len()]
            };
            let url = format!("http://{node}{}{path}", self.mount);
            let request = match body {
                Some(body) => self.http.post(url).json(body),
                None => self.http.get(url),
            };
            let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
            if let Ok(reply) = request.send().await {
                let status = reply.status().as_u16();
                if let Ok(text) = reply.text().await {
                    return (status, serde_json::from_str(&text).unwrap_or_default());
                }
            }
            assert!(begun.elapsed() < PATIENCE, "no node answers {path}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn lost(&self, what: &str) {
        self.seen.lock().expect("no panic").lost.push(format!("{}: {what}", self.mount));
    }

    /// Opens a login, or goes on with it by its refresh token.
    async fn open(&mut self, refresh: Option<String>) -> Option<(String, Option<String>, Instant)> {
        let sent = Instant::now();
        let (status, grant) = match &refresh {
            Some(refresh) => self.send("/api/refresh", Some(&json!({ "refresh_token": refresh })), None).await,
            None => {
                let body = json!({ "username": "alice", "password": DEMO_PASSWORD });
                self.send("/api/login", Some(&body), None).await
            }
        };
        let Some(token) = grant["access_token"].as_str() else {
            self.lost(&format!("{status} to a {}", if refresh.is_some() { "renewal" } else { "log in" }));
            return None;
        };
        let mut seen = self.seen.lock().expect("no panic");
        *(if refresh.is_some() { &mut seen.renewals } else { &mut seen.logins }) += 1;
        Some((token.to_owned(), grant["refresh_token"].as_str().map(ToOwned::to_owned), sent + COUNTS))
    }

    /// Logs in, and checks the login on both nodes until it is about to expire; then again, until the stop.
    async fn work(mut self, stop: watch::Receiver<bool>) {
        let mut refresh = None;
        while !*stop.borrow() {
            let Some((token, next, until)) = self.open(refresh.take()).await else { continue };
            while Instant::now() < until && !*stop.borrow() {
                let (status, _) = self.send("/api/me", None, Some(&token)).await;
                self.seen.lock().expect("no panic").checks += 1;
                if status != 200 && Instant::now() < until {
                    self.lost(&format!("{status} to a check"));
                    break;
                }
            }
            refresh = next;
        }
    }
}

struct Cluster {
    shared: TempDir,
    redis: RedisServer,
    nodes: Nodes,
}

impl Cluster {
    /// Starts a node with these keys; the first signs.
    async fn node(&self, keys: &[&str]) -> Program {
        let path = |name: &str| self.shared.path().join(name).display().to_string();
        let (database, redis) = (format!("sqlite://{}?mode=rwc", path("test.db")), self.redis.url());
        let mut options = vec!["--database-url", &database, "--redis-url", &redis];
        let files: Vec<String> = keys.iter().map(|key| path(key)).collect();
        for file in &files {
            options.extend(["--jwt-key-file", file]);
        }
        options.extend(["--jwt-algorithm", "ES256", "--access-ttl", TOKEN_LIFE, "--short-ttl", TOKEN_LIFE]);
        Program::start_in(folder(), &options).await
    }

    /// Replaces both nodes, one after the other, by nodes with these keys.
    async fn roll(&self, nodes: &mut [Program; 2], keys: &[&str]) {
        for node in nodes {
            let before = node.address;
            self.nodes.lock().expect("no panic").retain(|address| *address != before);
            node.signal("-TERM");
            assert_eq!(node.ended().await, Some(0), "{}", node.log());
            *node = self.node(keys).await;
            self.nodes.lock().expect("no panic").push(node.address);
        }
    }
}

/// The names of the public keys that a node shows.
async fn kids(node: &Program) -> Vec<String> {
    let set: Value = serde_json::from_str(&node.page("/.well-known/jwks.json").await).expect("JSON");
    set["keys"].as_array().expect("keys").iter().map(|key| key["kid"].as_str().expect("a name").to_owned()).collect()
}

/// Waits until the load has checked this many more logins.
async fn until_checked(seen: &Mutex<Seen>, more: usize) {
    let checks = || seen.lock().expect("no panic").checks;
    let enough = checks() + more;
    until_within(LONG_PATIENCE, "the load goes on", async || checks() >= enough).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_of_the_key_loses_no_login_under_load() {
    let (shared, redis) = (folder(), RedisServer::start().await);
    for key in ["old.key", "new.key"] {
        let made = run(command(shared.path(), &["key", key, "--jwt-algorithm", "ES256"])).await;
        assert!(made.status.success(), "{made:?}");
    }
    let cluster = Cluster { shared, redis, nodes: Nodes::default() };
    let mut nodes = [cluster.node(&["old.key"]).await, cluster.node(&["old.key"]).await];
    *cluster.nodes.lock().expect("no panic") = nodes.iter().map(|node| node.address).collect();
    let old = kids(&nodes[0]).await;

    let (seen, (stop, stopped)) = (Arc::new(Mutex::new(Seen::default())), watch::channel(false));
    let mut load = JoinSet::new();
    for mount in MOUNTS.into_iter().flat_map(|mount| [mount; CLIENTS]) {
        let (http, nodes, seen) = (bare_client(), cluster.nodes.clone(), seen.clone());
        load.spawn(LoadClient { mount, http, nodes, turn: 0, seen }.work(stopped.clone()));
    }
    until_checked(&seen, 200).await;
    cluster.roll(&mut nodes, &["old.key", "new.key"]).await;
    until_checked(&seen, 200).await;
    // The last token of the old key.
    let mut last =
        LoadClient { mount: "/jwt", http: bare_client(), nodes: cluster.nodes.clone(), turn: 0, seen: seen.clone() };
    let (token, _, _) = last.open(None).await.expect("a login");
    cluster.roll(&mut nodes, &["new.key", "old.key"]).await;
    let both = kids(&nodes[0]).await;
    assert!(both.len() == 2 && both[1] == old[0] && both == kids(&nodes[1]).await, "{both:?}");
    until_within(LONG_PATIENCE, "the old key's last token expires", async || {
        last.send("/api/me", None, Some(&token)).await.0 == 401
    })
    .await;
    cluster.roll(&mut nodes, &["new.key"]).await;
    until_checked(&seen, 200).await;
    assert_eq!(kids(&nodes[1]).await, both[..1]);

    stop.send(true).expect("the load runs");
    while let Some(ended) = load.join_next().await {
        ended.expect("no client panics");
    }
    let seen = seen.lock().expect("no panic");
    let Seen { checks, logins, renewals, lost } = &*seen;
    println!("{checks} checks, {logins} log ins, {renewals} renewals, {} lost", lost.len());
    assert!(lost.is_empty(), "{} lost: {:?}", lost.len(), &lost[..lost.len().min(10)]);
    assert!(*logins > MOUNTS.len() * CLIENTS && *renewals > 0, "{logins} log ins, {renewals} renewals");
}
