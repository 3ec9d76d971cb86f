//! A POST from another site is refused, and nothing of it is done.

use reqwest::RequestBuilder;

use super::stage::{PASSWORD, Stage, name};
use super::visitor::{Visitor, answer};
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
    let stage = Stage::start().await;
    for mount in stage.mounts() {
        let (visitor, user) = (stage.visitor(mount), name(mount, "victim"));
        let cookie = visitor.register(&user, PASSWORD).await;
        let id = visitor.me().await.json()["login_id"].as_str().expect("a login").to_owned();
        for header in FOREIGN {
            for request in posts(&visitor, &id, mount.slug) {
                let reply = answer(request.header(header.0, header.1)).await;
                assert_eq!(reply.status, 403, "{header:?}: {}", reply.body);
                assert!(reply.headers.get("set-cookie").is_none(), "{header:?}");
            }
        }
        assert!(stage.accepts(mount, &cookie).await, "{}: the login goes on", mount.slug);
        let stranger = stage.visitor(mount);
        assert_eq!(stranger.log_in(&user, PASSWORD).await.status, 303, "the password is the old one");
        assert_eq!(stranger.log_in(&name(mount, "planted"), PASSWORD).await.status, 401, "nobody was registered");
    }
}

/// Every POST that changes something.
fn posts(visitor: &Visitor, login: &str, slug: &str) -> Vec<RequestBuilder> {
    let planted = format!("{slug}-planted");
    let credentials = [("username", "alice"), ("password", DEMO_PASSWORD)];
    let body = serde_json::json!({ "username": "alice", "password": DEMO_PASSWORD });
    vec![
        visitor.posting("/register").form(&[("username", planted.as_str()), ("password", PASSWORD)]),
        visitor.posting("/login").form(&credentials),
        visitor.posting("/password").form(&[("current_password", PASSWORD), ("new_password", "planted-by-evil-hands")]),
        visitor.posting(&format!("/devices/{login}/revoke")),
        visitor.posting("/logout"),
        visitor.posting("/logout-everywhere"),
        visitor.posting("/api/login").json(&body),
        visitor.posting("/api/logout"),
        visitor.posting("/api/logout-everywhere"),
    ]
}

#[tokio::test]
async fn a_post_from_here_or_from_a_program_is_carried_out() {
    let stage = Stage::start().await;
    for mount in stage.mounts() {
        let visitor = stage.visitor(mount);
        let form = [("username", "alice"), ("password", DEMO_PASSWORD)];
        for headers in [
            vec![],
            vec![("sec-fetch-site", "same-origin")],
            vec![("sec-fetch-site", "none")],
            vec![("origin", stage.app.base.as_str())],
            vec![("sec-fetch-site", "same-origin"), ("origin", stage.app.base.as_str())],
        ] {
            let request = visitor.posting("/login").form(&form);
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            assert_eq!(answer(request).await.status, 303, "{headers:?}");
        }
    }
}

/// Only what changes something is refused: a link from another site leads here.
#[tokio::test]
async fn a_link_from_another_site_leads_here() {
    let stage = Stage::start().await;
    for mount in stage.mounts() {
        let visitor = stage.visitor(mount);
        visitor.sign_in("alice").await;
        let page = answer(visitor.getting("/profile").header("sec-fetch-site", "cross-site")).await;
        assert_eq!(page.status, 200);
    }
}
