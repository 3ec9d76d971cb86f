//! Warnings of a proxy that the server does not trust or cannot read: one each, and none with a credential.

use super::program::Program;
use crate::common::{bare_client, until};

/// A failed login that came through a proxy, which named the client so.
async fn forwarded(server: &Program, header: &str, value: &str) {
    let form = [("username", "nobody"), ("password", "wrong")];
    let request = bare_client().post(server.url("/jwt/login")).header(header, value).form(&form);
    assert_eq!(request.send().await.expect("an answer").status(), 401);
}

#[tokio::test]
async fn an_untrusted_proxy_is_warned_of_once() {
    let server = Program::start(&["--no-demo"]).await;
    for number in 0..20 {
        forwarded(&server, "x-forwarded-for", &format!("203.0.113.{number}")).await;
        forwarded(&server, "forwarded", "for=203.0.113.5").await;
    }
    until("the log says what to set", async || server.log().contains("--trusted-proxy 127.0.0.1")).await;
    assert_eq!(server.log().matches("--trusted-proxy").count(), 1, "{}", server.log());
    assert!(!server.log().contains("203.0.113"), "a client can write what it wants there");
}

#[tokio::test]
async fn an_address_that_cannot_be_read_is_warned_of_once() {
    let server = Program::start(&["--no-demo", "--trusted-proxy", "127.0.0.1"]).await;
    for hop in ["203.0.113.5:4711", "[2001:db8::5]:4711"] {
        forwarded(&server, "x-forwarded-for", hop).await;
    }
    assert!(!server.log().contains("X-Forwarded-For"), "{}", server.log());
    for _ in 0..20 {
        forwarded(&server, "x-forwarded-for", "unknown").await;
        forwarded(&server, "forwarded", "for=203.0.113.5").await;
    }
    until("the log says what to set", async || server.log().contains("X-Forwarded-For")).await;
    assert_eq!(server.log().matches("X-Forwarded-For").count(), 1, "{}", server.log());
}
