//! Checks what logged-in clients get while a store is down, and after it is back.

use jwt_vs_session::auth::Backend;
use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::task::{JoinSet, LocalSet};

use super::client::{MountClient, answer};
use super::server::TestServer;
use crate::common::{bare_client, until};

/// A client with a login under a mount.
#[derive(Clone)]
pub struct LoggedInClient {
    pub client: MountClient,
    pub slug: &'static str,
    pub needs: Backend,
    /// Whether an empty Redis still has its login.
    pub kept: bool,
    /// Whether a check reads the store. Under a strategy with refresh tokens only a renewal does.
    check_reads_store: bool,
}

pub async fn log_in_everywhere(server: &TestServer) -> Vec<LoggedInClient> {
    let mut clients = Vec::new();
    for mount in server.mounts() {
        let client = server.client(mount);
        client.demo_login("alice").await;
        // Shows the trace of the POST, and drops the cookie that names it.
        client.get("/profile").await;
        let kept = mount.transport.bearer || mount.backend != Backend::Redis;
        clients.push(LoggedInClient {
            client,
            slug: mount.slug,
            needs: mount.backend,
            kept,
            check_reads_store: mount.transport.refresh_cookie.is_none(),
        });
    }
    clients
}

/// A client whose strategy needs the store gets 503 and keeps its cookie. Every other client goes on.
pub async fn assert_down(clients: &[LoggedInClient], down: Backend) {
    let checks = async {
        let mut checks = JoinSet::new();
        for login in clients {
            checks.spawn_local(login.clone().assert_down(down));
        }
        checks.join_all().await;
    };
    LocalSet::new().run_until(checks).await;
}

impl LoggedInClient {
    async fn assert_down(self, down: Backend) {
        let Self { client, slug, needs, check_reads_store, .. } = &self;
        let unavailable = *needs == down && *check_reads_store;
        // A pushed copy stays valid for a moment.
        until("the check is unavailable", async || !unavailable || client.get("/profile").await.status == 503).await;
        for path in ["/", "/profile", "/api/me"] {
            if unavailable {
                assert_unavailable(&format!("{slug}{path}"), client.get_request(path)).await;
            } else {
                assert_eq!(client.get(path).await.status, 200, "{slug}{path} goes on");
            }
        }
        if *needs == down {
            for path in ["/logout", "/logout-everywhere", "/api/logout"] {
                assert_unavailable(&format!("{slug}{path}"), client.post_request(path)).await;
            }
        }
    }
}

/// The tests of the stores check how soon the answer comes.
pub async fn assert_unavailable(what: &str, request: RequestBuilder) {
    let reply = answer(request).await;
    assert_eq!(reply.status, 503, "{what}: {}", reply.body);
    assert!(reply.body.contains("does not answer"), "{what}: {}", reply.body);
    assert_eq!(reply.header("retry-after"), Some("1"), "{what}");
    for name in ["set-cookie", "location", "www-authenticate"] {
        assert_eq!(reply.header(name), None, "{what}: {name}");
    }
    let page = reply.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    assert!(!page || reply.body.contains("Login state unknown"), "{what} names the logged-in user");
}

/// `/readyz` reports the strategies that need the store, at most a second late; `/healthz` is always ok.
pub async fn assert_readiness(server: &TestServer, expected: impl Fn(Backend) -> bool) {
    let redis_is_ready = |rows: &Value| {
        let row = rows["strategies"].as_array().expect("rows").iter().zip(server.mounts());
        row.filter(|(_, mount)| mount.backend == Backend::Redis).all(|(row, _)| row["ready"] == true)
    };
    let mut ready = answer(bare_client().get(server.app.url("/readyz"))).await;
    until("/readyz has looked at Redis", async || {
        ready = answer(bare_client().get(server.app.url("/readyz"))).await;
        redis_is_ready(&ready.json()) == expected(Backend::Redis)
    })
    .await;
    let rows = ready.json();
    for (row, mount) in rows["strategies"].as_array().expect("rows").iter().zip(server.mounts()) {
        assert_eq!(
            (row["strategy"].as_str(), row["ready"].as_bool()),
            (Some(mount.slug), Some(expected(mount.backend)))
        );
        assert_eq!(row["reason"].is_string(), !expected(mount.backend), "{row}");
    }
    let any = server.mounts().iter().any(|mount| expected(mount.backend));
    assert_eq!(ready.status, if any { 200 } else { 503 });
    let home = answer(bare_client().get(server.app.url("/"))).await;
    assert_eq!(home.status, 200, "the home page is for everybody, always");
    let alive = answer(bare_client().get(server.app.url("/healthz"))).await;
    assert_eq!((alive.status, alive.body.as_str()), (200, "ok\n"));
}

/// No answer is 503 after the store is back.
pub async fn assert_back(clients: &[LoggedInClient]) {
    for LoggedInClient { client, .. } in clients {
        until("its store is in use again", async || client.get("/profile").await.status != 503).await;
    }
}
