//! Redis killed, frozen, back: the strategies that need it are unavailable, the others go on.

use jwt_vs_session::auth::Backend;

use super::outage::{assert_back, assert_down, assert_readiness, assert_unavailable, log_in_everywhere};
use super::server::TestServer;
use crate::common::DEMO_PASSWORD;

#[tokio::test]
async fn with_redis_killed_other_strategies_go_on_and_it_comes_back_empty() {
    let mut server = TestServer::start().await;
    let clients = log_in_everywhere(&server).await;
    assert_readiness(&server, |_| true).await;
    server.redis.kill();
    assert_down(&clients, Backend::Redis).await;
    assert_readiness(&server, |need| need != Backend::Redis).await;
    assert_logins_refused(&server).await;
    server.redis.restart().await;
    assert_back(&clients).await;
    assert_readiness(&server, |_| true).await;
    for login in &clients {
        let page = login.client.get("/profile").await;
        assert_eq!(page.status, if login.kept { 200 } else { 303 }, "{}: refused, as the record is gone", login.slug);
        assert_eq!(login.client.log_in("bob", DEMO_PASSWORD).await.status, 303);
        assert_eq!(login.client.get("/profile").await.status, 200);
    }
}

#[tokio::test]
async fn with_redis_frozen_other_strategies_go_on_and_it_comes_back_with_every_login() {
    let server = TestServer::start().await;
    let clients = log_in_everywhere(&server).await;
    server.redis.freeze();
    assert_down(&clients, Backend::Redis).await;
    assert_readiness(&server, |need| need != Backend::Redis).await;
    assert_logins_refused(&server).await;
    server.redis.thaw();
    assert_back(&clients).await;
    for login in &clients {
        assert_eq!(login.client.get("/profile").await.status, 200, "{}: the login was kept", login.slug);
    }
}

async fn assert_logins_refused(server: &TestServer) {
    for mount in server.mounts() {
        let (client, form) = (server.client(mount), [("username", "bob"), ("password", DEMO_PASSWORD)]);
        // No login is opened that the next request could not check.
        if mount.backend == Backend::Redis {
            assert_unavailable(mount.slug, client.post_request("/login").form(&form)).await;
        } else {
            assert_eq!(client.post("/login", &form).await.status, 303, "{}", mount.slug);
        }
    }
}

/// The page must not claim that the server revoked logins in a Redis that is down.
#[tokio::test]
async fn a_password_change_names_the_logins_that_it_could_not_revoke() {
    let mut server = TestServer::start().await;
    let clients = log_in_everywhere(&server).await;
    server.redis.kill();
    let here = clients.iter().find(|login| login.needs == Backend::None).expect("a mount that needs no store");
    let (_, done) = here.client.changed_password(DEMO_PASSWORD, "ein-anderes-brot-um-fünf").await;
    for login in clients.iter().filter(|login| login.slug != here.slug) {
        let unsure = format!("&#x2f;{}: your logins may go on! A store does not answer", login.slug);
        assert_eq!(done.body.contains(&unsure), login.needs == Backend::Redis, "{}: {}", login.slug, done.body);
    }
}
