//! The database away: nobody can log in, and who is signed in without it goes on.

use std::net::SocketAddr;

use jwt_vs_session::auth::Backend;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::outage::{assert_away, assert_back, assert_told, assert_unavailable, guests};
use super::stage::{PASSWORD, Stage};
use crate::common::{DEMO_PASSWORD, postgres_database, until};

/// The way to a server; while it is cut, connections stay and nothing comes through.
struct Cable {
    address: SocketAddr,
    cut: watch::Sender<bool>,
}

impl Cable {
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

/// What was under way when the cable was cut is lost when it is mended.
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

async fn on_a_cable() -> (Stage, Cable) {
    let mut url: url::Url = postgres_database().await.parse().expect("a url");
    let cable = Cable::to(format!("127.0.0.1:{}", url.port().expect("a port"))).await;
    url.set_port(Some(cable.address.port())).expect("a port");
    (Stage::with(&["--database-url", url.as_str()]).await, cable)
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_told_and_costs_nobody_the_cookie() {
    let (stage, cable) = on_a_cable().await;
    let guests = guests(&stage).await;
    cable.cut.send_replace(true);
    assert_away(&guests, Backend::Sql).await;
    // Nobody can log in without the users, so no mount is ready.
    assert_told(&stage, |_| false).await;
    for mount in stage.title_pair() {
        let body = serde_json::json!({ "username": "alice", "password": DEMO_PASSWORD });
        let visitor = stage.visitor(mount);
        let form = [("username", "newcomer"), ("password", PASSWORD)];
        assert_unavailable(mount.slug, visitor.posting("/login").form(&form)).await;
        assert_unavailable(mount.slug, visitor.posting("/register").form(&form)).await;
        assert_unavailable(mount.slug, visitor.posting("/api/login").json(&body)).await;
    }
    cable.cut.send_replace(false);
    assert_back(&guests).await;
    for guest in &guests {
        assert_eq!(guest.visitor.get("/profile").await.status, 200, "{}: the login was kept", guest.slug);
        until("logging in works", async || guest.visitor.log_in("bob", DEMO_PASSWORD).await.status == 303).await;
    }
    assert_told(&stage, |_| true).await;
}

/// SQLite has one writer: another program that writes for long makes registrations wait, and not for long.
#[tokio::test]
async fn a_database_that_another_program_locks_refuses_registrations_in_time() {
    use sea_orm::{ConnectionTrait as _, Database};
    let stage = Stage::start().await;
    let url = format!("sqlite://{}/test.db", stage.app.folder.path().display());
    let other = Database::connect(url).await.expect("the same file");
    other.execute_unprepared("BEGIN IMMEDIATE").await.expect("the lock");
    let visitor = stage.visitor(&stage.mounts()[0]);
    let form = [("username", "newcomer"), ("password", PASSWORD)];
    assert_unavailable("/register", visitor.posting("/register").form(&form)).await;
    visitor.sign_in("alice").await;
    other.execute_unprepared("ROLLBACK").await.expect("the lock is let go");
    let again = || visitor.post("/register", &[("username", "latecomer"), ("password", PASSWORD)]);
    until("registering works", async || again().await.status == 303).await;
}
