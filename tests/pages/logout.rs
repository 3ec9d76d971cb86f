//! After a log out, a log out everywhere or a new login: which credentials the server accepts.

use super::client::{Answer, answer};
use super::cookies::attributes;
use super::server::{TestServer, base};
use crate::common::{DEMO_PASSWORD, bare_client};

#[tokio::test]
async fn logging_out_removes_the_cookie_and_revokes_as_the_strategy_promises() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let client = server.client(mount);
            let login = client.log_in("alice", DEMO_PASSWORD).await;
            let copy = client.credential(&login);
            assert!(server.accepts(mount, &copy).await);
            let done = client.post("/logout", &[]).await;
            assert_eq!((done.status, done.location()), (303, format!("{}/", client.base).as_str()));
            let removal = done.cookie(mount.transport.cookie).expect("a removal");
            assert!(removal.starts_with(&format!("{}=;", mount.transport.cookie)) && removal.contains("Max-Age=0"));
            assert_eq!(attributes(removal), attributes(login.cookie(mount.transport.cookie).expect("a cookie")));
            assert!(client.follow(&done).await.body.contains("Log in"), "the browser has deleted it");
            server.assert_revoked(mount, &copy).await;
        }
    }
}

#[tokio::test]
async fn a_replayed_credential_is_refused_after_its_bound() {
    let server = TestServer::start().await;
    let mut copies = Vec::new();
    for mount in server.mounts() {
        let client = server.client(mount);
        copies.push((mount, client.demo_login("alice").await));
        assert_eq!(answer(client.post_request("/api/logout")).await.status, 204);
    }
    server.advance_past_every_bound();
    for (mount, copy) in copies {
        assert!(!server.accepts(mount, &copy).await, "{}: accepted past its bound", mount.slug);
    }
}

#[tokio::test]
async fn logging_out_leaves_other_devices_alone_where_the_strategy_revokes_a_single_login() {
    let server = TestServer::start().await;
    for mount in server.mounts().iter().filter(|mount| mount.revokes_single) {
        let (here, there) = (server.client(mount), server.client(mount));
        here.demo_login("alice").await;
        let other = there.demo_login("alice").await;
        here.post("/logout", &[]).await;
        assert!(server.accepts(mount, &other).await, "{}", mount.slug);
    }
}

#[tokio::test]
async fn logging_out_everywhere_revokes_every_login_of_the_user_and_no_other() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let (here, there) = (server.client(mount), server.client(mount));
            let cookies = [here.demo_login("alice").await, there.demo_login("alice").await];
            let bob = server.client(mount).demo_login("bob").await;
            let done = here.post("/logout-everywhere", &[]).await;
            assert_eq!((done.status, done.location()), (303, format!("{}/", here.base).as_str()));
            assert!(done.cookie(mount.transport.cookie).expect("a removal").contains("Max-Age=0"));
            for cookie in cookies {
                server.assert_revoked(mount, &cookie).await;
            }
            assert!(server.accepts(mount, &bob).await, "{}: bob did not log out", mount.slug);
        }
    }
}

#[tokio::test]
async fn without_a_login_a_log_out_succeeds_and_a_log_out_everywhere_needs_one() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        for (path, to) in [("/logout", "/"), ("/logout-everywhere", "/login")] {
            let done = server.client(mount).post(path, &[]).await;
            assert_eq!((done.status, done.location()), (303, format!("{}{to}", base(mount)).as_str()));
        }
    }
}

#[tokio::test]
async fn logging_in_again_revokes_the_old_login() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        let old = client.demo_login("alice").await;
        let new = client.demo_login("bob").await;
        assert_ne!(old, new);
        assert_eq!(client.me().await.json()["username"], "bob");
        if mount.revokes_single {
            server.assert_revoked(mount, &old).await;
        }
    }
}

/// Session fixation: a login never adopts the id that the browser sent.
#[tokio::test]
async fn a_made_up_id_is_not_adopted_at_login() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let name = mount.transport.cookie;
        let made_up = format!("{name}=AAAAAAAAAAAAAAAAAAAAAA");
        let form = [("username", "alice"), ("password", DEMO_PASSWORD)];
        let url = server.app.url(&format!("{}/login", base(mount)));
        let login = answer(bare_client().post(url).header("cookie", &made_up).form(&form)).await;
        assert_eq!(login.status, 303);
        assert!(!login.cookie(name).expect("a credential").starts_with(&format!("{made_up};")));
        assert!(!server.accepts(mount, &made_up).await, "{}", mount.slug);
    }
}

#[tokio::test]
async fn a_login_under_one_mount_is_refused_under_another() {
    let server = TestServer::start().await;
    let mut cookies = Vec::new();
    for mount in server.mounts() {
        cookies.push((mount, server.client(mount).demo_login("alice").await));
    }
    for (mount, _) in &cookies {
        for (other, cookie) in &cookies {
            let accepted = server.accepts(mount, cookie).await;
            assert_eq!(accepted, mount.slug == other.slug, "{}'s credential under {}", other.slug, mount.slug);
        }
    }
}

#[tokio::test]
async fn the_answer_that_removes_a_login_clears_what_the_browser_stored_and_no_other_cookie() {
    let server = TestServer::start().await;
    let clears = |answer: &Answer| answer.header("clear-site-data").map(ToOwned::to_owned);
    for mount in server.mounts() {
        let client = server.client(mount);
        assert_eq!(clears(&client.log_in("alice", DEMO_PASSWORD).await), None, "{}: a login", mount.slug);
        for page in ["/profile", "/devices", "/password"] {
            let page = client.get(page).await;
            assert_eq!((clears(&page), page.header("cache-control")), (None, Some("no-store")), "{}", mount.slug);
        }
        let json = answer(client.post_request("/api/logout")).await;
        let form = client.post("/logout", &[]).await;
        client.demo_login("alice").await;
        let everywhere = client.post("/logout-everywhere", &[]).await;
        client.demo_login("alice").await;
        let login = client.me().await.json()["login_id"].as_str().expect("a login").to_owned();
        let device = client.post(&format!("/devices/{login}/revoke"), &[]).await;
        let of_device = if mount.lists_logins { clears(&device) } else { clears(&form) };
        for cleared in [clears(&json), clears(&form), clears(&everywhere), of_device] {
            let cleared = cleared.unwrap_or_else(|| panic!("{}: nothing is cleared", mount.slug));
            // Not the cookies of every mount, and not the cache, which takes Chromium long.
            assert_eq!(cleared, "\"storage\"");
        }
    }
}
