//! The database down: no one can log in, and logins that do not need it go on.

use std::net::SocketAddr;

use jwt_vs_session::auth::Backend;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::client::MountClient;
use super::outage::{assert_back, assert_down, assert_readiness, assert_unavailable, log_in_everywhere};
use super::server::{PASSWORD, TestServer};
use crate::common::{DEMO_PASSWORD, postgres_database, until};

/// A proxy to a server. While it is cut, connections stay open and no byte passes.
struct CuttableProxy {
    address: SocketAddr,
    cut: watch::Sender<bool>,
}

impl CuttableProxy {
    async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (cut, state) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, target.clone(), state.clone()));
            }
        });
        Self { address, cut }
    }
}

/// The bytes in flight at the cut are lost.
async fn carry(mut near: TcpStream, target: String, mut cut: watch::Receiver<bool>) {
    if !*cut.borrow_and_update() {
        let mut far = TcpStream::connect(target).await.expect("the server");
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => return,
            _ = cut.wait_for(|cut| *cut) => {}
        }
    }
    let _ = cut.wait_for(|cut| !*cut).await;
}

async fn behind_a_proxy() -> (TestServer, CuttableProxy) {
    let mut url: url::Url = postgres_database().await.parse().expect("a url");
    let proxy = CuttableProxy::to(format!("127.0.0.1:{}", url.port().expect("a port"))).await;
    url.set_port(Some(proxy.address.port())).expect("a port");
    (TestServer::with(&["--database-url", url.as_str()]).await, proxy)
}

#[tokio::test]
async fn with_the_database_down_clients_get_503_and_keep_their_cookies() {
    let (server, proxy) = behind_a_proxy().await;
    let clients = log_in_everywhere(&server).await;
    proxy.cut.send_replace(true);
    assert_down(&clients, Backend::Sql).await;
    // Without the users no one can log in, so no mount is ready.
    assert_readiness(&server, |_| false).await;
    for mount in server.title_pair() {
        let body = serde_json::json!({ "username": "alice", "password": DEMO_PASSWORD });
        let client = server.client(mount);
        let form = [("username", "newcomer"), ("password", PASSWORD)];
        assert_unavailable(mount.slug, client.post_request("/login").form(&form)).await;
        assert_unavailable(mount.slug, client.post_request("/register").form(&form)).await;
        assert_unavailable(mount.slug, client.post_request("/api/login").json(&body)).await;
    }
    proxy.cut.send_replace(false);
    assert_back(&clients).await;
    for login in &clients {
        assert_eq!(login.client.get("/profile").await.status, 200, "{}: the login was kept", login.slug);
        until("logging in works", async || login.client.log_in("bob", DEMO_PASSWORD).await.status == 303).await;
    }
    assert_readiness(&server, |_| true).await;
}

/// SQLite has one writer: a registration waits for another program that writes, but not for long.
#[tokio::test]
async fn a_database_that_another_program_locks_refuses_registrations_in_time() {
    use sea_orm::{ConnectionTrait as _, Database};
    let server = TestServer::start().await;
    let url = format!("sqlite://{}/test.db", server.app.folder.path().display());
    let other = Database::connect(url).await.expect("the same file");
    other.execute_unprepared("BEGIN IMMEDIATE").await.expect("the lock");
    let client = server.client(&server.mounts()[0]);
    let form = [("username", "newcomer"), ("password", PASSWORD)];
    assert_unavailable("/register", client.post_request("/register").form(&form)).await;
    client.demo_login("alice").await;
    assert_change_unknown(&server, &client).await;
    other.execute_unprepared("ROLLBACK").await.expect("the lock is let go");
    let again = || client.post("/register", &[("username", "latecomer"), ("password", PASSWORD)]);
    until("registering works", async || again().await.status == 303).await;
}

/// The server reads the database and cannot write. It must not claim a new password, nor that it revoked each login.
async fn assert_change_unknown(server: &TestServer, client: &MountClient) {
    let page = client.change_password(DEMO_PASSWORD, "ein-anderes-brot-um-fünf").await;
    assert_eq!(page.status, 503, "{}", page.body);
    assert!(page.body.contains("it is unknown whether the new or the old password counts"), "{}", page.body);
    assert!(!page.body.contains("The password was changed"), "{}", page.body);
    for mount in server.mounts() {
        let unsure = format!("&#x2f;{}: your logins may go on!", mount.slug);
        let writes = mount.backend == Backend::Sql;
        assert!(!writes || page.body.contains(&unsure), "{}: {}", mount.slug, page.body);
    }
    assert_eq!(server.client(&server.mounts()[0]).log_in("alice", DEMO_PASSWORD).await.status, 303);
}
