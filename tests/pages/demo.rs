//! The demo users: here for everybody on this machine, and never by accident where strangers can reach them.

use super::stage::Stage;
use super::visitor::{Answer, answer};
use crate::common::{DEMO_PASSWORD, TestApp, bare_client};

const PUBLIC: [&str; 2] = ["--public-url", "http://login.example"];

async fn pages(stage: &Stage) -> Vec<Answer> {
    let mut pages = vec![answer(bare_client().get(stage.app.url("/"))).await];
    for mount in stage.mounts() {
        pages.push(stage.visitor(mount).get("/login").await);
    }
    pages
}

#[tokio::test]
async fn on_loopback_the_pages_tell_the_demo_users_and_their_password() {
    let stage = Stage::start().await;
    for page in pages(&stage).await {
        for word in ["alice", "bob", "carol", "presenter", DEMO_PASSWORD] {
            assert!(page.body.contains(word), "{word}");
        }
    }
    for user in ["alice", "bob", "carol"] {
        stage.visitor(&stage.mounts()[0]).sign_in(user).await;
    }
}

#[tokio::test]
async fn with_a_public_address_or_on_request_there_are_no_demo_users() {
    for options in [&PUBLIC[..], &["--no-demo"], &["--public-url", "http://127.0.0.1:5000", "--demo", "false"]] {
        let stage = Stage::with(options).await;
        for page in pages(&stage).await {
            assert!(!page.body.contains("alice") && !page.body.contains(DEMO_PASSWORD), "{options:?}");
        }
        for mount in stage.mounts() {
            assert_eq!(stage.visitor(mount).log_in("alice", DEMO_PASSWORD).await.status, 401, "{options:?}");
        }
    }
}

#[tokio::test]
async fn asked_for_with_a_public_address_they_have_a_password_that_no_page_tells() {
    let stage = Stage::with(&[&PUBLIC[..], &["--demo"]].concat()).await;
    for page in pages(&stage).await {
        assert!(page.body.contains("alice") && page.body.contains("was printed when the server started"));
        assert!(!page.body.contains(DEMO_PASSWORD));
    }
    for mount in stage.mounts() {
        assert_eq!(stage.visitor(mount).log_in("alice", DEMO_PASSWORD).await.status, 401);
    }
}

#[tokio::test]
async fn who_changed_the_demo_password_keeps_the_change() {
    let stage = Stage::start().await;
    let visitor = stage.visitor(&stage.mounts()[0]);
    visitor.sign_in("alice").await;
    assert_eq!(visitor.change_password(DEMO_PASSWORD, "ein-anderes-brot-um-fünf").await.status, 200);
    let url = format!("sqlite://{}/test.db?mode=rwc", stage.app.folder.path().display());
    let app = TestApp::start(&["--database-url", &url]).await;
    let again = Stage { app, redis: stage.redis };
    let visitor = again.visitor(&again.mounts()[0]);
    assert_eq!(visitor.log_in("alice", DEMO_PASSWORD).await.status, 401);
    assert_eq!(visitor.log_in("alice", "ein-anderes-brot-um-fünf").await.status, 303);
    let home = pages(&again).await.remove(0).body;
    assert!(home.contains("bob") && !home.contains("alice"), "the page names those who have the password");
}
