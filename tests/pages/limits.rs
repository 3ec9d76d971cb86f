//! The limits of a body and of the rate of tries.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::client::{Answer, answer};
use super::server::{PASSWORD, TestServer, base, name};
use crate::common::DEMO_PASSWORD;
use crate::common::wire::Wire;

const LIMIT: usize = 64 * 1024;

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_one_byte_more_is_not() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        for (length, status) in [(LIMIT, 401), (LIMIT + 1, 413)] {
            let start = "username=alice&password=";
            let body = format!("{start}{}", "x".repeat(length - start.len()));
            let head = format!("POST {}/login HTTP/1.1\r\nhost: localhost\r\n", base(mount));
            let head = head + "content-type: application/x-www-form-urlencoded\r\n";
            let mut wire = Wire::open(server.app.address).await;
            wire.send(format!("{head}content-length: {length}\r\n\r\n{body}")).await;
            assert_eq!(wire.reply().await.status, status, "{length} bytes with their length");
            let mut wire = Wire::open(server.app.address).await;
            wire.send(format!("{head}transfer-encoding: chunked\r\n\r\n{}", chunked(&body))).await;
            assert_eq!(wire.reply().await.status, status, "{length} bytes in chunks");
        }
    }
}

fn chunked(body: &str) -> String {
    let mut text = String::new();
    for chunk in body.as_bytes().chunks(1000) {
        let _ = write!(text, "{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk));
    }
    text + "0\r\n\r\n"
}

/// By its `Content-Length` before the client sends it, or at the limit if it has none.
#[tokio::test]
async fn an_endless_body_is_refused_early() {
    let server = TestServer::start().await;
    for path in server.mounts().iter().flat_map(|mount| [base(mount) + "/login", base(mount) + "/api/login"]) {
        let mut wire = Wire::open(server.app.address).await;
        wire.send(format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000000000\r\n\r\n")).await;
        assert_eq!(wire.reply().await.status, 413, "{path}: announced");
        let mut wire = Wire::open(server.app.address).await;
        wire.send(format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")).await;
        wire.send(format!("{:x}\r\n{}\r\n", LIMIT + 1, "x".repeat(LIMIT + 1))).await;
        assert_eq!(wire.reply().await.status, 413, "{path}: in chunks without an end");
    }
}

#[tokio::test]
async fn too_many_failures_of_a_network_get_429_and_retry_after() {
    let server = TestServer::with(&["--login-rate", "4/h", "--trusted-proxy", "127.0.0.0/8", "--no-demo"]).await;
    for (number, mount) in server.mounts().iter().enumerate() {
        let (user, from) = (name(mount, "target"), format!("198.51.100.{number}"));
        let form = |password| [("username", user.as_str()), ("password", password)];
        let post = async |path: &str, password| {
            answer(server.client(mount).post_request(path).form(&form(password)).header("x-forwarded-for", &from)).await
        };
        assert_eq!(post("/register", PASSWORD).await.status, 303);
        for _ in 0..3 {
            assert_eq!(post("/login", PASSWORD).await.status, 303, "the right password costs nothing");
            assert_eq!(post("/login", "wrong").await.status, 401);
        }
        assert_slowed(&post("/login", PASSWORD).await);
        assert_slowed(&post("/register", PASSWORD).await);
        let body = json!({ "username": user.to_uppercase(), "password": PASSWORD });
        let program = server.client(mount).post_request("/api/login").json(&body).header("x-forwarded-for", &from);
        let program = answer(program).await;
        assert_slowed(&program);
        assert_eq!(program.header("content-type"), Some("application/problem+json"));
    }
}

/// The right password costs a hash: ten times as many tries as failures.
#[tokio::test]
async fn right_passwords_of_a_network_have_a_limit_too() {
    let server = TestServer::with(&["--login-rate", "1/h"]).await;
    let mount = &server.mounts()[0];
    for _ in 0..10 {
        assert_eq!(server.client(mount).log_in("alice", DEMO_PASSWORD).await.status, 303);
    }
    let refused = server.client(mount).log_in("alice", DEMO_PASSWORD).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("360")));
    assert!(refused.body.contains("Too many tries from your network; wait a little."), "{}", refused.body);
    assert!(refused.body.contains("Try again in 6 min."), "{}", refused.body);
}

fn assert_slowed(reply: &Answer) {
    assert_eq!(reply.status, 429, "{}", reply.body);
    let seconds: u64 = reply.header("retry-after").and_then(|value| value.parse().ok()).expect("when to come back");
    assert!((1..=901).contains(&seconds), "a quarter of an hour for one of four tries an hour, not {seconds} s");
    assert!(reply.headers.get("set-cookie").is_none());
}

#[tokio::test]
async fn an_address_has_a_limit_and_a_header_does_not_change_it() {
    let server = TestServer::with(&["--login-rate", "3/h", "--no-demo"]).await;
    let mount = &server.mounts()[0];
    let client = server.client(mount);
    let mut statuses = Vec::new();
    for number in 0..5 {
        let form = [("username", format!("user-{number}")), ("password", DEMO_PASSWORD.to_owned())];
        let request =
            client.post_request("/login").form(&form).header("x-forwarded-for", format!("198.51.100.{number}"));
        statuses.push(answer(request).await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
}

#[tokio::test]
async fn renewals_by_json_are_limited_by_address_and_pages_that_renew_are_not() {
    let server = TestServer::with(&["--login-rate", "4/h"]).await;
    let mut renewing = 0;
    for mount in server.mounts().iter().filter(|mount| mount.transport.refresh_cookie.is_some()) {
        let (program, page) = (server.client(mount), server.client(mount));
        page.demo_login("bob").await;
        let body = json!({ "username": "alice", "password": DEMO_PASSWORD });
        let mut grant = answer(program.post_request("/api/login").json(&body)).await.json();
        let renew = async |token: &Value| {
            answer(program.post_request("/api/refresh").json(&json!({ "refresh_token": token }))).await
        };
        for number in 1..=40 {
            let renewed = renew(&grant["refresh_token"]).await;
            assert_eq!(renewed.status, 200, "renewal {number}: {}", renewed.body);
            grant = renewed.json();
        }
        for token in [&json!("made-up"), &grant["refresh_token"]] {
            let refused = renew(token).await;
            assert_slowed(&refused);
            assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        }
        for _ in 0..60 {
            server.advance_past_every_bound();
            assert_eq!(page.get("/profile").await.status, 200, "a page renews by itself");
        }
        renewing += 1;
    }
    assert!(renewing > 0, "no strategy renews");
}

#[tokio::test]
async fn without_a_limit_renewals_go_on() {
    let server = TestServer::start().await;
    for mount in server.mounts().iter().filter(|mount| mount.transport.refresh_cookie.is_some()) {
        let request = || server.client(mount).post_request("/api/refresh").json(&json!({ "refresh_token": "made-up" }));
        for _ in 0..400 {
            assert_eq!(answer(request()).await.status, 401);
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_tells_the_address_and_the_client_cannot() {
    let server = TestServer::with(&["--login-rate", "1/h", "--trusted-proxy", "127.0.0.1", "--no-demo"]).await;
    let client = server.client(&server.mounts()[0]);
    for (number, (forwarded, status)) in
        [("198.51.100.1", 401), ("198.51.100.2", 401), ("198.51.100.1", 429), ("203.0.113.9, 198.51.100.2", 429)]
            .into_iter()
            .enumerate()
    {
        let form = [("username", format!("user-{number}")), ("password", DEMO_PASSWORD.to_owned())];
        let request = client.post_request("/login").form(&form).header("x-forwarded-for", forwarded);
        assert_eq!(answer(request).await.status, status, "{forwarded}");
    }
}
