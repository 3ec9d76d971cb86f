//! The server, its Redis and the floors, and the requests behind each id.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jwt_vs_session::clock::Clock;
use jwt_vs_session::identity::UserId;
use tempfile::TempDir;

use super::client::{PreparedRequest, closed_loop};
use super::floor;
use super::process::ServerProcess;
use super::sample::Sample;
use crate::common::{DEMO_PASSWORD, RedisServer, bare_client, cookie_of};
use crate::stage::processor::ProcessorTime;
use crate::stage::{LIVES, SECRET, Stage};

/// The demo users, who take turns.
const USERS: [&str; 3] = ["alice", "bob", "carol"];

/// What the rounds of an id send, and where.
struct Route {
    /// An index of [`Scene::servers`].
    server: usize,
    requests: Arc<[PreparedRequest]>,
}

pub struct Scene {
    /// The slug and the cookie of each strategy.
    mounts: Vec<(&'static str, &'static str)>,
    redis: RedisServer,
    redis_pid: String,
    redis_url: String,
    folder: TempDir,
    core: Option<String>,
    connections: usize,
    /// The first is the whole server.
    servers: Vec<ServerProcess>,
    routes: BTreeMap<String, Route>,
    cookies: BTreeMap<String, Arc<[String]>>,
}

impl Scene {
    /// Takes over Redis and the database. The node of the stage ends, because it would also listen to Redis.
    pub fn new(stage: Stage, core: Option<String>, connections: usize) -> Self {
        let transports = stage.node.strategies().map(|strategy| strategy.describe());
        let mounts = transports.map(|description| (description.slug, description.transport.cookie)).collect();
        let redis_url = stage.socket_url();
        let info = stage.runtime.block_on(stage.redis.command(&["INFO", "server"]));
        let info: redis::InfoDict = redis::from_redis_value(info).expect("lines");
        let redis_pid = info.get("process_id").expect("a number");
        let Stage { runtime, redis, node, folder, .. } = stage;
        runtime.block_on(async { drop(node) });
        let (servers, routes, cookies) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { mounts, redis, redis_pid, redis_url, folder, core, connections, servers, routes, cookies }
    }

    pub fn slugs(&self) -> impl Iterator<Item = &'static str> {
        self.mounts.iter().map(|(slug, _)| *slug)
    }

    /// Sends the requests of an id for this long, and measures.
    pub async fn measure(&mut self, id: &str, time: Duration) -> Sample {
        let Route { server, requests } = &self.routes[id];
        let server = &mut self.servers[*server];
        let (before, redis_before) = (server.processor_time(), ProcessorTime::of(&self.redis_pid));
        let begun = Instant::now();
        let latencies_ns = closed_loop(&mut server.connections, requests, time).await;
        Sample {
            elapsed: begun.elapsed(),
            server_ns: server.processor_time().ns_since(&before),
            redis_ns: ProcessorTime::of(&self.redis_pid).ns_since(&redis_before),
            latencies_ns,
        }
    }

    /// Prepares the requests of an id and logs in, unless that was done before.
    pub async fn prepare(&mut self, id: &str) {
        if self.routes.contains_key(id) {
            return;
        }
        let name = id.strip_prefix("load/").expect("an id of this bench");
        let route = if let Some(floor) = name.strip_prefix("floor/") {
            self.floor(floor).await
        } else {
            let (slug, path) = name.strip_suffix("/json").map_or((name, "profile"), |slug| (slug, "api/me"));
            let cookies = self.cookies(slug).await;
            self.route(0, &format!("/{slug}/{path}"), &cookies)
        };
        self.routes.insert(id.to_owned(), route);
    }

    fn route(&self, server: usize, path: &str, cookies: &[String]) -> Route {
        let address = self.servers[server].address;
        let with_users = cookies.iter().zip(USERS.into_iter().cycle());
        let requests = with_users.map(|(cookie, user)| PreparedRequest::get(address, path, cookie, user)).collect();
        Route { server, requests }
    }

    /// Starts the server, on the stores of the stage.
    pub async fn start(&mut self) {
        let database = format!("sqlite://{}/test.db?mode=rwc", self.folder.path().display());
        let mut options = vec!["--listen", "127.0.0.1:0", "--login-rate", "off", "--demo", "true"];
        options.extend(["--connections-per-network", "768", "--jwt-secret", SECRET]);
        options.extend(["--redis-url", &self.redis_url, "--database-url", &database]);
        options.extend(LIVES);
        let server = self.process(Path::new(env!("CARGO_BIN_EXE_jwt-vs-session")), &options).await;
        self.servers.push(server);
    }

    async fn process(&self, file: &Path, options: &[&str]) -> ServerProcess {
        ServerProcess::start(file, options, self.core.as_deref(), self.folder.path(), self.connections).await
    }

    /// A login for each connection, as `Cookie` lines.
    async fn cookies(&mut self, slug: &str) -> Arc<[String]> {
        if let Some(known) = self.cookies.get(slug) {
            return known.clone();
        }
        let (_, cookie) = self.mounts.iter().find(|(known, _)| *known == slug).expect("a strategy");
        let url = format!("http://{}/{slug}/login", self.servers[0].address);
        let (client, mut opened) = (bare_client(), Vec::new());
        for user in USERS.into_iter().cycle().take(self.connections) {
            let form = [("username", user), ("password", DEMO_PASSWORD)];
            let response = client.post(&url).form(&form).send().await.expect("an answer");
            opened.push(cookie_of(&response, cookie).unwrap_or_else(|| panic!("{user} logs in under {slug}")));
        }
        let opened: Arc<[String]> = opened.into();
        self.cookies.insert(slug.to_owned(), opened.clone());
        opened
    }

    async fn floor(&mut self, floor: &str) -> Route {
        let cookies = if floor == "session" { self.records().await } else { self.cookies("jwt").await };
        let mut server = self.floor_process(floor, 0).await;
        if floor == "page" {
            let page = self.route(0, "/jwt/profile", &cookies).requests;
            let wanted = self.servers[0].connections[0].send(&page[0]).await.len();
            let bare = PreparedRequest::get(server.address, "/", &cookies[0], USERS[0]);
            let padding = wanted - server.connections[0].send(&bare).await.len();
            server = self.floor_process(floor, padding).await;
        }
        self.servers.push(server);
        self.route(self.servers.len() - 1, "/", &cookies)
    }

    async fn floor_process(&self, floor: &str, padding: usize) -> ServerProcess {
        let here = std::env::current_exe().expect("this program");
        let padding = padding.to_string();
        self.process(&here, &["--floor", floor, "--padding", &padding, "--redis-url", &self.redis_url]).await
    }

    /// A record for each connection, for the floor of `session`.
    async fn records(&self) -> Arc<[String]> {
        let now = Clock::system().now().as_millis();
        let mut cookies = Vec::new();
        for user in USERS.into_iter().cycle().take(self.connections) {
            let id = UserId::random().0.simple().to_string();
            // As long as a session id.
            let id = &id[..22];
            self.redis.command(&["SET", &floor::key(id), &floor::record(user, now)]).await;
            cookies.push(format!("session={id}"));
        }
        cookies.into()
    }
}
