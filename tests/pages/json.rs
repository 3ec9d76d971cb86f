//! The JSON routes: exactly the fields of the contract, and problem+json for every error.

use std::time::Duration;

use jwt_vs_session::auth::{Description, Transport};
use jwt_vs_session::store::refresh::GRACE;
use serde_json::{Value, json};

use super::client::{Answer, MountClient, answer};
use super::server::{TestServer, base};
use crate::common::{DEMO_PASSWORD, bare_client};

#[tokio::test]
async fn a_login_answers_a_token_or_sets_a_cookie() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let login = log_in(&server.client(mount)).await;
            assert_eq!((login.status, login.header("content-type")), (200, Some("application/json; charset=utf-8")));
            let mut body = login.json();
            let life = body["expires_in"].take().as_u64().expect("seconds");
            assert_eq!(life, life_of(mount));
            if mount.transport.bearer {
                let token = body["access_token"].take();
                assert_eq!(token.as_str().expect("a token").split('.').count(), 3);
                let mut expected = json!({ "token_type": "Bearer", "access_token": null, "expires_in": null });
                if mount.transport.refresh_cookie.is_some() {
                    assert!(body["refresh_token"].take().is_string());
                    expected["refresh_token"] = Value::Null;
                }
                assert_eq!(body, expected);
                assert!(login.headers.get("set-cookie").is_none(), "a program keeps it itself");
            } else {
                assert_eq!(body, json!({ "token_type": "Cookie", "expires_in": null }));
                let cookie = server.client(mount).credential(&login);
                assert!(server.accepts(mount, &cookie).await);
            }
        }
    }
}

/// Seconds until a login expires, by the defaults.
fn life_of(mount: &Description) -> u64 {
    match mount.transport {
        Transport { refresh_cookie: Some(_), .. } => 60,
        Transport { bearer: true, .. } => 15 * 60,
        Transport { .. } => 30 * 60,
    }
}

async fn log_in(client: &MountClient) -> Answer {
    let body = json!({ "username": "carol", "password": DEMO_PASSWORD });
    answer(client.post_request("/api/login").json(&body)).await
}

#[tokio::test]
async fn me_names_the_user_the_login_and_its_times() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let client = server.client(mount);
            let cookie = client.demo_login("carol").await;
            let mut me = client.me().await.json();
            let life = Duration::from_secs(life_of(mount));
            let now = server.app.clock.now();
            let user = me["user_id"].take();
            assert_eq!(user.as_str().expect("an id").parse::<uuid::Uuid>().expect("a UUID").get_version_num(), 4);
            let login = me["login_id"].take();
            let login = login.as_str().expect("a login");
            assert!(!login.is_empty() && !cookie.contains(login), "the name of a login is no credential");
            let expected = json!({
                "user_id": null, "username": "carol", "role": "presenter", "strategy": mount.slug, "login_id": null,
                "issued_at": now.to_string(), "expires_at": (now + life).to_string(),
            });
            assert_eq!(me, expected);
            assert!(!server.accepts(mount, &format!("{}={login}", mount.transport.cookie)).await);
        }
    }
}

#[tokio::test]
async fn a_token_is_accepted_as_bearer_and_as_cookie_and_an_id_as_cookie_only() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let cookie = server.client(mount).demo_login("alice").await;
        let (_, credential) = cookie.split_once('=').expect("a pair");
        for (scheme, credential, valid) in [
            ("Bearer", credential, true),
            ("bearer", credential, true),
            ("Basic", credential, false),
            ("Bearer", "made.up.token", false),
            ("Bearer", "", false),
        ] {
            let request = bare_client().get(server.app.url(&format!("{}/api/me", base(mount))));
            let reply = answer(request.header("authorization", format!("{scheme} {credential}"))).await;
            assert_eq!(reply.status == 200, valid && mount.transport.bearer, "{}: {scheme} {credential}", mount.slug);
        }
        assert!(server.accepts(mount, &cookie).await);
    }
}

#[tokio::test]
async fn a_refresh_token_is_accepted_once() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let client = server.client(mount);
            let refresh = async |token: &Value| {
                answer(client.post_request("/api/refresh").json(&json!({ "refresh_token": token }))).await
            };
            let made_up = refresh(&json!("made-up")).await;
            if mount.transport.refresh_cookie.is_none() {
                assert_problem(mount, &made_up, 404, "There is nothing at this address.");
                continue;
            }
            assert_problem(mount, &made_up, 401, "");
            let first = log_in(&client).await.json()["refresh_token"].take();
            let second = refresh(&first).await;
            assert_eq!((second.status, &second.json()["token_type"]), (200, &json!("Bearer")), "{}", second.body);
            let second = second.json();
            assert!(
                server.accepts(mount, &format!("{}={}", mount.transport.cookie, text(&second["access_token"]))).await
            );
            assert_ne!(second["refresh_token"], first);
            assert_eq!(refresh(&first).await.json()["refresh_token"], second["refresh_token"], "another tab");
            server.app.clock.advance(GRACE);
            let third = refresh(&first).await.json();
            assert_ne!(third["refresh_token"], second["refresh_token"], "the answer was lost");
            // The token of the lost answer is a copy.
            assert_problem(mount, &refresh(&second["refresh_token"]).await, 401, "");
            assert_problem(mount, &refresh(&third["refresh_token"]).await, 401, "");
        }
    }
}

/// Whoever presents a used token with another browser has a copy, even at the same moment and on the same network.
#[tokio::test]
async fn a_second_client_with_a_refresh_token_ends_the_login() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts().iter().filter(|mount| mount.transport.refresh_cookie.is_some()) {
            for by_cookie in [false, true] {
                let client = server.client(mount);
                let first = log_in(&client).await.json()["refresh_token"].take();
                let refresh =
                    |token: &Value| client.post_request("/api/refresh").json(&json!({ "refresh_token": token }));
                let second = answer(refresh(&first)).await.json();
                let thief = if by_cookie {
                    let cookie = format!("{}={}", mount.transport.refresh_cookie.expect("a name"), text(&first));
                    server.client(mount).get_request("/api/me").header("cookie", cookie)
                } else {
                    refresh(&first)
                };
                assert_problem(mount, &answer(thief.header("user-agent", "curl/8.5.0")).await, 401, "");
                assert_problem(mount, &answer(refresh(&second["refresh_token"])).await, 401, "");
            }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[tokio::test]
async fn logging_out_by_json_revokes_the_login_once() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            for (path, again) in [("/api/logout", 204), ("/api/logout-everywhere", 401)] {
                let client = server.client(mount);
                let copy = client.demo_login("alice").await;
                let done = answer(client.post_request(path)).await;
                assert_eq!((done.status, done.body.as_str()), (204, ""));
                assert!(done.cookie(mount.transport.cookie).expect("a removal").contains("Max-Age=0"));
                assert_eq!(client.me().await.status, 401, "the cookie is gone");
                server.assert_revoked(mount, &copy).await;
                assert_eq!(answer(client.post_request(path)).await.status, again, "the login is already revoked");
            }
        }
    }
}

#[tokio::test]
async fn every_error_is_a_problem_in_json() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        let login = || client.post_request("/api/login");
        let wrong = json!({ "username": "alice", "password": "wrong" });
        let json = |body: &'static str| login().header("content-type", "application/json").body(body);
        for (request, status, detail) in [
            (login().json(&wrong), 401, "The user name or the password is wrong."),
            (client.get_request("/api/me"), 401, "Log in first."),
            (json("{\"username\": "), 400, ""),
            (
                json("{\"username\": \"alice\"}"),
                400,
                "The body is not the JSON that this address takes: the field password is missing.",
            ),
            (
                json(r#"{"password": "x"}"#),
                400,
                "The body is not the JSON that this address takes: the field username is missing.",
            ),
            (json("[]"), 400, ""),
            (
                json(r#"{"username": 1, "password": "x"}"#),
                400,
                "The body is not the JSON that this address takes: the field username is not a string.",
            ),
            (json(r#"{"username": "alice", "password": true}"#), 400, ""),
            (json(r#"{"username": "alice", "password": null}"#), 400, ""),
            (json(r#"{"username": ["alice"], "password": "x"}"#), 400, ""),
            (json("\u{0}"), 400, ""),
            (login().json(&json!({ "username": "x".repeat(257), "password": "y" })), 400, ""),
            (login().form(&[("username", "alice")]), 415, "This address does not take that content type."),
            (client.get_request("/api/nowhere"), 404, "There is nothing at this address."),
            (client.get_request("/api/login"), 405, "This address does not take that method."),
            (client.post_request("/api/me"), 405, "This address does not take that method."),
            (login().json(&wrong).header("sec-fetch-site", "cross-site"), 403, "This request came from another site"),
            (login().body("x".repeat(65 * 1024)), 413, "The request's body is too large"),
        ] {
            assert_problem(mount, &answer(request).await, status, detail);
        }
    }
}

/// RFC 6750, 3.1: the error code tells a program whose token was refused that it needs another one.
#[tokio::test]
async fn a_401_for_a_refused_token_says_so_and_one_without_a_token_does_not() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        let (bearer, cookie) = (r#"Bearer error="invalid_token""#, format!("{}=x", mount.transport.cookie));
        let plain = if mount.transport.bearer { "Bearer" } else { "Cookie" };
        let refused = if mount.transport.bearer { bearer } else { plain };
        let me = || client.get_request("/api/me");
        for (request, challenge) in [
            (me(), plain),
            (me().header("authorization", "Bearer x"), refused),
            (me().header("authorization", "Basic x"), plain),
            (me().header("cookie", cookie), plain),
            (client.post_request("/api/logout-everywhere").header("authorization", "Bearer x"), refused),
            (client.post_request("/api/login").json(&json!({ "username": "alice", "password": "wrong" })), plain),
        ] {
            let reply = answer(request).await;
            assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some(challenge)), "{}", mount.slug);
        }
    }
}

/// RFC 9457, and for a 401 a scheme (RFC 9110, 15.5.2).
fn assert_problem(mount: &Description, answer: &Answer, status: u16, detail: &str) {
    assert_eq!(answer.status, status, "{detail}: {}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem = answer.json();
    let keys: Vec<_> = problem.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(keys, ["detail", "status", "title", "type"]);
    assert_eq!((&problem["type"], &problem["status"]), (&Value::from("about:blank"), &Value::from(status)));
    let said = problem["detail"].as_str().expect("a sentence");
    assert!(said.starts_with(detail) && !said.is_empty(), "{said}");
    let scheme = if mount.transport.bearer { "Bearer" } else { "Cookie" };
    assert_eq!(answer.header("www-authenticate"), (status == 401).then_some(scheme));
    assert!(answer.header("server-timing").is_some_and(|timing| timing.contains("total;dur=")), "{answer:?}");
    assert!(answer.cookie(mount.transport.cookie).is_none(), "an error sets and removes no credential");
}
