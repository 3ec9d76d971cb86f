//! The headers of every answer, errors included: security, the node's name, timings. No page has inline code.

use reqwest::{Method, RequestBuilder};

use super::client::{Answer, answer};
use super::server::{TestServer, base};
use crate::common::{TestApp, bare_client};

const NODE: &str = "node-of-the-test";

#[tokio::test]
async fn every_answer_outside_the_mounts_has_security_headers() {
    let server = TestServer::with(&["--node", NODE]).await;
    for (method, path, status) in [
        (Method::GET, "/", 200),
        (Method::GET, "/docs", 200),
        (Method::GET, "/openapi.json", 200),
        (Method::GET, "/assets/style.css", 200),
        (Method::GET, "/assets/../Cargo.toml", 404),
        (Method::GET, "/assets/nothing.css", 404),
        (Method::GET, "/healthz", 200),
        (Method::GET, "/readyz", 200),
        (Method::GET, "/metrics", 200),
        (Method::GET, "/.well-known/jwks.json", 200),
        (Method::GET, "/nowhere", 404),
        (Method::GET, "/jwtx/profile", 404),
        (Method::HEAD, "/healthz", 200),
        (Method::POST, "/", 405),
        (Method::DELETE, "/docs", 405),
    ] {
        let reply = answer(request(&server.app, &method, path)).await;
        assert_eq!(reply.status, status, "{method} {path}");
        assert_safe(&format!("{method} {path}"), &reply);
    }
    let refused = answer(request(&server.app, &Method::POST, "/healthz").header("sec-fetch-site", "cross-site")).await;
    let too_large = answer(request(&server.app, &Method::POST, "/docs").body(vec![b'x'; 65 * 1024])).await;
    assert_eq!((refused.status, too_large.status), (403, 413));
    assert_safe("from another site", &refused);
    assert_safe("too large", &too_large);
}

#[tokio::test]
async fn every_answer_of_a_mount_has_security_headers_and_timings() {
    let server = TestServer::with(&["--node", NODE]).await;
    for mount in server.mounts() {
        let cookie = server.client(mount).demo_login("alice").await;
        for (method, path, status) in [
            (Method::GET, "/", 200),
            (Method::GET, "/login", 200),
            (Method::GET, "/register", 200),
            (Method::GET, "/profile", 200),
            (Method::GET, "/devices", 200),
            (Method::GET, "/password", 200),
            (Method::GET, "/api/me", 200),
            (Method::GET, "/nowhere", 404),
            (Method::GET, "/api/nowhere", 404),
            (Method::GET, "/logout", 405),
            (Method::GET, "/api/logout", 405),
            (Method::PUT, "/login", 405),
            (Method::POST, "/login", 401),
            (Method::POST, "/register", 422),
            (Method::POST, "/password", 401),
            (Method::POST, "/devices/nobody/revoke", 404),
            (Method::POST, "/api/login", 415),
            (Method::POST, "/logout", 303),
        ] {
            let full = format!("{}{path}", base(mount));
            let form = [("username", "<b>\"'&"), ("password", "wrong")];
            let request = request(&server.app, &method, &full).header("cookie", &cookie);
            let reply = answer(if method == Method::POST { request.form(&form) } else { request }).await;
            assert_eq!(reply.status, status, "{method} {full}: {}", reply.body);
            assert_safe(&format!("{method} {full}"), &reply);
            assert_timed(&format!("{method} {full}"), &reply);
        }
    }
}

#[tokio::test]
async fn answers_of_the_middleware_have_security_headers_and_timings() {
    let server = TestServer::with(&["--node", NODE, "--login-rate", "1/h"]).await;
    for (path, api) in server.mounts().iter().flat_map(|m| [(base(m), false), (format!("{}/api", base(m)), true)]) {
        let post = || request(&server.app, &Method::POST, &format!("{path}/login"));
        let try_once = || if api { post().json(&["no", "login"]) } else { post().form(&[("username", "x")]) };
        let credentials = serde_json::json!({ "username": "x", "password": "y" });
        let try_again = || if api { post().json(&credentials) } else { try_once() };
        answer(try_again()).await;
        for (request, status) in [
            (try_again(), 429),
            (try_once().header("origin", "https://evil.example"), 403),
            (post().body(vec![b'x'; 65 * 1024]), 413),
        ] {
            let reply = answer(request).await;
            assert_eq!(reply.status, status, "{path}");
            assert_safe(&path, &reply);
            assert_timed(&path, &reply);
        }
    }
}

#[tokio::test]
async fn answers_without_a_store_have_security_headers_and_no_detail() {
    let mut server = TestServer::with(&["--node", NODE]).await;
    let mut logins = Vec::new();
    for mount in server.mounts() {
        logins.push((base(mount), server.client(mount).demo_login("alice").await));
    }
    server.redis.kill();
    let mut unavailable = 0;
    for (base, cookie) in logins {
        for path in ["/", "/profile", "/api/me"] {
            let reply =
                answer(request(&server.app, &Method::GET, &format!("{base}{path}")).header("cookie", &cookie)).await;
            assert!([200, 503].contains(&reply.status), "{base}{path}: {}", reply.status);
            unavailable += u32::from(reply.status == 503);
            assert_safe(&base, &reply);
            assert_timed(&base, &reply);
            for detail in [&server.redis.port().to_string(), "os error", "refused", "Io"] {
                assert!(reply.status == 200 || !reply.body.contains(detail), "{detail} in {}", reply.body);
            }
        }
    }
    assert!(unavailable >= 3, "only {unavailable} answers were 503");
}

fn request(app: &TestApp, method: &Method, path: &str) -> RequestBuilder {
    bare_client().request(method.clone(), app.url(path))
}

fn assert_safe(what: &str, reply: &Answer) {
    let policy = reply.header("content-security-policy").unwrap_or_else(|| panic!("{what}: no policy"));
    for wanted in [
        "default-src 'none'",
        "object-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(wanted), "{what}: {policy}");
    }
    for loose in ["unsafe", "*", "data:", "http"] {
        assert!(!policy.contains(loose), "{what}: {policy}");
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-node", NODE),
    ] {
        assert_eq!(reply.header(name), Some(value), "{what}: {name}");
    }
    let html = reply.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    if html {
        assert_nothing_inline(what, &reply.body);
        assert!(reply.body.contains(NODE), "{what}: the page does not say who answered");
    }
}

fn assert_timed(what: &str, reply: &Answer) {
    let timing = reply.header("server-timing").unwrap_or_else(|| panic!("{what}: not timed"));
    assert!(timing.contains("total;dur="), "{what}: {timing}");
    assert_eq!(reply.header("cache-control"), Some("no-store"), "{what}: it names the logged-in user");
}

/// Text is escaped, so a `<` begins a tag.
fn assert_nothing_inline(what: &str, page: &str) {
    for tag in page.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').unwrap_or_else(|| panic!("{what}: <{tag}"));
        let tag = tag.to_lowercase();
        assert!(
            !tag.starts_with("style") && !tag.contains(" style=") && !tag.contains("javascript:"),
            "{what}: <{tag}>"
        );
        let handler = tag.split_whitespace().skip(1).any(|part| part.starts_with("on") && part.contains('='));
        assert!(!handler, "{what}: <{tag}>");
        if tag.starts_with("script") {
            assert!(tag.contains(" src=\"/assets/") && text.trim().is_empty(), "{what}: <{tag}>{text}");
        }
    }
}
