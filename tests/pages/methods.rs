//! Each route says which methods it has: on a 405, and on OPTIONS. HEAD answers as GET does, without the body.

use reqwest::{Method, RequestBuilder};

use super::client::{Answer, answer};
use super::server::{TestServer, base};
use crate::common::{TestApp, bare_client};

const GET: &str = "GET, HEAD, OPTIONS";
const POST: &str = "POST, OPTIONS";
const BOTH: &str = "GET, HEAD, POST, OPTIONS";

const OUTSIDE: [(&str, &str); 14] = [
    ("/", GET),
    ("/docs", GET),
    ("/openapi.json", GET),
    ("/assets/style.css", GET),
    ("/favicon.ico", GET),
    ("/healthz", GET),
    ("/readyz", GET),
    ("/metrics", GET),
    ("/.well-known/jwks.json", GET),
    ("/labs/revocation", BOTH),
    ("/labs/revocation/api/runs", POST),
    ("/labs/revocation/api/runs/x/revoke", POST),
    ("/labs/cost", BOTH),
    ("/labs/cost/api/runs", POST),
];

const OF_A_MOUNT: [(&str, &str); 15] = [
    ("/", GET),
    ("/register", BOTH),
    ("/login", BOTH),
    ("/profile", GET),
    ("/devices", GET),
    ("/devices/x/revoke", POST),
    ("/password", BOTH),
    ("/events", GET),
    ("/logout", POST),
    ("/logout-everywhere", POST),
    ("/api/login", POST),
    ("/api/refresh", POST),
    ("/api/me", GET),
    ("/api/logout", POST),
    ("/api/logout-everywhere", POST),
];

fn request(app: &TestApp, method: &Method, path: &str) -> RequestBuilder {
    bare_client().request(method.clone(), app.url(path))
}

fn routes(server: &TestServer) -> Vec<(String, &'static str)> {
    let outside = OUTSIDE.iter().map(|(path, allow)| ((*path).to_owned(), *allow));
    let of_mounts = server.mounts().iter().flat_map(|mount| {
        let base = base(mount);
        OF_A_MOUNT.iter().map(move |(path, allow)| (format!("{base}{path}"), *allow))
    });
    outside.chain(of_mounts).collect()
}

fn assert_no_cors(what: &str, reply: &Answer) {
    let cors = reply.headers.keys().find(|name| name.as_str().starts_with("access-control"));
    assert!(cors.is_none(), "{what}: {cors:?}");
}

#[tokio::test]
async fn every_route_names_its_methods_on_a_405_and_on_options() {
    let server = TestServer::start().await;
    for (path, allow) in routes(&server) {
        let options = request(&server.app, &Method::OPTIONS, &path).header("origin", "https://evil.example");
        let options = options.header("sec-fetch-site", "cross-site");
        let reply = answer(options.header("access-control-request-method", "POST")).await;
        assert_eq!((reply.status, reply.header("allow")), (204, Some(allow)), "OPTIONS {path}");
        assert_no_cors(&path, &reply);
        let all = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE];
        for method in all.iter().filter(|method| !allow.split(", ").any(|allowed| allowed == method.as_str())) {
            let reply = answer(request(&server.app, method, &path)).await;
            assert_eq!((reply.status, reply.header("allow")), (405, Some(allow)), "{method} {path}");
        }
    }
    for path in ["/nowhere", "/jwt/nowhere", "/jwt/api/nowhere", "/labs/nowhere"] {
        assert_eq!(answer(request(&server.app, &Method::OPTIONS, path)).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn head_answers_as_get_does_without_the_body() {
    let server = TestServer::start().await;
    for (path, _) in routes(&server).into_iter().filter(|(_, allow)| allow.starts_with("GET")) {
        let stream = path.ends_with("/events");
        let get = if stream { None } else { Some(answer(request(&server.app, &Method::GET, &path)).await) };
        let head = answer(request(&server.app, &Method::HEAD, &path)).await;
        assert_eq!(head.body, "", "{path}");
        let Some(get) = get else {
            assert!([200, 404].contains(&head.status), "{path}: {}", head.status);
            continue;
        };
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(head.header("location"), get.header("location"), "{path}");
    }
}
