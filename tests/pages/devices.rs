//! The list of devices, where the strategy has one, and revoking one of them.

use jwt_vs_session::auth::Description;

use super::client::{MountClient, answer, unescaped};
use super::server::{TestServer, base};
use crate::common::DEMO_PASSWORD;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

#[tokio::test]
async fn the_list_names_every_login_of_the_user_and_marks_this_one() {
    for server in TestServer::on_both_databases().await {
        for mount in listing(&server) {
            let (here, there) = (server.client(mount), server.client(mount));
            here.demo_login("alice").await;
            let fields = [("username", "alice"), ("password", DEMO_PASSWORD)];
            assert_eq!(
                answer(there.post_request("/login").header("user-agent", FIREFOX).form(&fields)).await.status,
                303
            );
            server.client(mount).demo_login("bob").await;
            let page = here.get("/devices").await;
            let ids = logins(&page.body);
            assert_eq!(ids.len(), 2, "{}", page.body);
            for client in [&here, &there] {
                assert!(ids.contains(&login_id(client).await));
            }
            assert_eq!(page.body.matches("This device").count(), 1);
            let marked = page.body.split("<li ").find(|row| row.contains("This device")).expect("this device");
            assert_eq!(logins(marked), [login_id(&here).await]);
            assert!(page.body.contains("Firefox on Linux") && page.body.contains("127.0.0.1"), "{}", page.body);
        }
    }
}

#[tokio::test]
async fn a_strategy_that_cannot_know_says_so_and_why() {
    let server = TestServer::start().await;
    let mut without_a_list = 0;
    for mount in server.mounts() {
        if mount.lists_logins {
            continue;
        }
        let sentence = mount.texts.devices;
        let client = server.client(mount);
        client.demo_login("alice").await;
        let page = client.get("/devices").await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("The server cannot know") && unescaped(&page.body).contains(sentence));
        assert_eq!(logins(&page.body), [""; 0]);
        let id = login_id(&client).await;
        assert_eq!(client.post(&format!("/devices/{id}/revoke"), &[]).await.status, 404);
        assert_eq!(client.me().await.status, 200);
        without_a_list += 1;
    }
    assert!(without_a_list > 0, "{:?}", base(&server.mounts()[0]));
}

#[tokio::test]
async fn a_device_can_be_revoked_from_another() {
    for server in TestServer::on_both_databases().await {
        for mount in listing(&server) {
            let (here, there) = (server.client(mount), server.client(mount));
            here.demo_login("alice").await;
            let lost = there.demo_login("alice").await;
            let id = login_id(&there).await;
            let done = here.post(&format!("/devices/{id}/revoke"), &[]).await;
            assert_eq!((done.status, done.location()), (303, format!("{}/devices", here.base).as_str()));
            server.assert_revoked(mount, &lost).await;
            assert_eq!(logins(&here.follow(&done).await.body), [login_id(&here).await]);
            assert_eq!(here.post(&format!("/devices/{id}/revoke"), &[]).await.status, 404, "it is already revoked");
        }
    }
}

#[tokio::test]
async fn revoking_this_device_logs_out() {
    let server = TestServer::start().await;
    for mount in listing(&server) {
        let client = server.client(mount);
        let cookie = client.demo_login("alice").await;
        let id = login_id(&client).await;
        let done = client.post(&format!("/devices/{id}/revoke"), &[]).await;
        assert_eq!((done.status, done.location()), (303, format!("{}/", client.base).as_str()));
        assert!(done.cookie(mount.transport.cookie).expect("a removal").contains("Max-Age=0"));
        server.assert_revoked(mount, &cookie).await;
    }
}

#[tokio::test]
async fn another_users_device_is_404() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let (alice, bob) = (server.client(mount), server.client(mount));
            alice.demo_login("alice").await;
            bob.demo_login("bob").await;
            let theirs = login_id(&bob).await;
            let theirs = alice.post(&format!("/devices/{theirs}/revoke"), &[]).await;
            assert_eq!(theirs.status, 404, "{}", theirs.body);
            assert_eq!(bob.me().await.status, 200, "bob's login goes on");
        }
    }
}

#[tokio::test]
async fn an_unknown_device_is_404() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        let stranger = client.post("/devices/AAAAAAAAAAAAAAAAAAAAAA/revoke", &[]).await;
        assert_eq!((stranger.status, stranger.location()), (303, format!("{}/login", client.base).as_str()));
        client.demo_login("alice").await;
        for id in ["AAAAAAAAAAAAAAAAAAAAAA", "..%2f..", "%00", &"x".repeat(65), "*", "'--"] {
            assert_eq!(client.post(&format!("/devices/{id}/revoke"), &[]).await.status, 404, "{id}");
        }
        assert_eq!(client.me().await.status, 200);
    }
}

/// The mounts that can list logins.
fn listing(server: &TestServer) -> Vec<&Description> {
    let mounts: Vec<_> = server.mounts().iter().filter(|mount| mount.lists_logins).collect();
    assert!(!mounts.is_empty(), "no strategy can list logins");
    mounts
}

/// The logins that a page offers to revoke.
fn logins(body: &str) -> Vec<String> {
    let ends = body.split("/devices/").skip(1).filter_map(|rest| rest.split_once("/revoke"));
    ends.map(|(id, _)| id.to_owned()).collect()
}

async fn login_id(client: &MountClient) -> String {
    client.me().await.json()["login_id"].as_str().expect("a login").to_owned()
}
