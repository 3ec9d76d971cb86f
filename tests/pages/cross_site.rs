//! The server refuses a POST from another site, and changes nothing.

use reqwest::RequestBuilder;

use super::client::{MountClient, answer};
use super::server::{PASSWORD, TestServer, name};
use crate::common::DEMO_PASSWORD;

const FOREIGN: [(&str, &str); 6] = [
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("origin", "http://127.0.0.1:1"),
    ("origin", "http://127.0.0.1"),
];

#[tokio::test]
async fn a_post_from_another_site_is_refused_and_changes_nothing() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let (client, user) = (server.client(mount), name(mount, "victim"));
        let cookie = client.register(&user, PASSWORD).await;
        let id = client.me().await.json()["login_id"].as_str().expect("a login").to_owned();
        for header in FOREIGN {
            for request in posts(&client, &id, mount.slug) {
                let reply = answer(request.header(header.0, header.1)).await;
                assert_eq!(reply.status, 403, "{header:?}: {}", reply.body);
                assert!(reply.headers.get("set-cookie").is_none(), "{header:?}");
            }
        }
        assert!(server.accepts(mount, &cookie).await, "{}: the login goes on", mount.slug);
        let stranger = server.client(mount);
        assert_eq!(stranger.log_in(&user, PASSWORD).await.status, 303, "the password is the old one");
        assert_eq!(stranger.log_in(&name(mount, "planted"), PASSWORD).await.status, 401, "nobody was registered");
    }
}

/// Every POST that changes something.
fn posts(client: &MountClient, login: &str, slug: &str) -> Vec<RequestBuilder> {
    let planted = format!("{slug}-planted");
    let credentials = [("username", "alice"), ("password", DEMO_PASSWORD)];
    let body = serde_json::json!({ "username": "alice", "password": DEMO_PASSWORD });
    vec![
        client.post_request("/register").form(&[("username", planted.as_str()), ("password", PASSWORD)]),
        client.post_request("/login").form(&credentials),
        client
            .post_request("/password")
            .form(&[("current_password", PASSWORD), ("new_password", "planted-by-evil-hands")]),
        client.post_request(&format!("/devices/{login}/revoke")),
        client.post_request("/logout"),
        client.post_request("/logout-everywhere"),
        client.post_request("/api/login").json(&body),
        client.post_request("/api/logout"),
        client.post_request("/api/logout-everywhere"),
    ]
}

#[tokio::test]
async fn a_post_from_here_or_from_a_program_is_carried_out() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        let form = [("username", "alice"), ("password", DEMO_PASSWORD)];
        for headers in [
            vec![],
            vec![("sec-fetch-site", "same-origin")],
            vec![("sec-fetch-site", "none")],
            vec![("origin", server.app.base.as_str())],
            vec![("sec-fetch-site", "same-origin"), ("origin", server.app.base.as_str())],
        ] {
            let request = client.post_request("/login").form(&form);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            assert_eq!(answer(request).await.status, 303, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn a_link_from_another_site_leads_here() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        client.demo_login("alice").await;
        let page = answer(client.get_request("/profile").header("sec-fetch-site", "cross-site")).await;
        assert_eq!(page.status, 200);
    }
}
