//! The demo users: on loopback by default, and elsewhere only on request and with a secret password.

use super::client::Answer;
use super::server::TestServer;
use crate::common::{DEMO_PASSWORD, TestApp};

const PUBLIC: [&str; 2] = ["--public-url", "http://login.example"];

async fn pages(server: &TestServer) -> Vec<Answer> {
    let mut pages = vec![server.client(&server.mounts()[0]).open("/").await];
    for mount in server.mounts() {
        pages.push(server.client(mount).get("/login").await);
    }
    pages
}

#[tokio::test]
async fn on_loopback_the_pages_show_the_demo_users_and_their_password() {
    let server = TestServer::start().await;
    for page in pages(&server).await {
        for word in ["alice", "bob", "carol", "presenter", DEMO_PASSWORD] {
            assert!(page.body.contains(word), "{word}");
        }
    }
    for user in ["alice", "bob", "carol"] {
        server.client(&server.mounts()[0]).demo_login(user).await;
    }
}

#[tokio::test]
async fn with_a_public_address_or_without_demo_there_are_no_demo_users() {
    for options in [&PUBLIC[..], &["--no-demo"], &["--public-url", "http://127.0.0.1:5000", "--demo", "false"]] {
        let server = TestServer::with(options).await;
        for page in pages(&server).await {
            assert!(!page.body.contains("alice") && !page.body.contains(DEMO_PASSWORD), "{options:?}");
        }
        for mount in server.mounts() {
            assert_eq!(server.client(mount).log_in("alice", DEMO_PASSWORD).await.status, 401, "{options:?}");
        }
    }
}

#[tokio::test]
async fn with_a_public_address_and_on_request_no_page_shows_their_password() {
    let server = TestServer::with(&[&PUBLIC[..], &["--demo"]].concat()).await;
    for page in pages(&server).await {
        assert!(page.body.contains("alice") && page.body.contains("the server printed the password when it started"));
        assert!(!page.body.contains(DEMO_PASSWORD));
    }
    for mount in server.mounts() {
        assert_eq!(server.client(mount).log_in("alice", DEMO_PASSWORD).await.status, 401);
    }
}

#[tokio::test]
async fn who_changed_the_demo_password_keeps_the_change() {
    let server = TestServer::start().await;
    let client = server.client(&server.mounts()[0]);
    client.demo_login("alice").await;
    client.changed_password(DEMO_PASSWORD, "ein-anderes-brot-um-fünf").await;
    let url = format!("sqlite://{}/test.db?mode=rwc", server.app.folder.path().display());
    let app = TestApp::start(&["--database-url", &url]).await;
    let again = TestServer { app, redis: server.redis };
    let client = again.client(&again.mounts()[0]);
    assert_eq!(client.log_in("alice", DEMO_PASSWORD).await.status, 401);
    assert_eq!(client.log_in("alice", "ein-anderes-brot-um-fünf").await.status, 303);
    let home = pages(&again).await.remove(0).body;
    assert!(home.contains("bob") && !home.contains("alice"), "the page names those who have the password");
}
