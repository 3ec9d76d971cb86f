//! Which hosts the server answers for. While the demo password is public: this machine, and nobody in between.

use super::client::answer;
use super::server::{PASSWORD, TestServer};
use crate::common::wire::{Reply, Wire};
use crate::common::{DEMO_PASSWORD, TestApp, bare_client};

const HERE: [&str; 8] = [
    "127.0.0.1",
    "127.0.0.1:1",
    "127.9.9.9:5000",
    "localhost",
    "LOCALHOST:5000",
    "localhost.",
    "login.localhost:5000",
    "[::1]:5000",
];

const ELSEWHERE: [&str; 8] = [
    "rebind.evil.example",
    "localhost.evil.example:5000",
    "127.0.0.1.evil.example",
    "notlocalhost",
    "192.168.0.2",
    "0.0.0.0:5000",
    "[::2]",
    "[fe80::1]:5000",
];

/// Headers of proxies, tunnels and content delivery networks.
const FORWARDED: [&str; 12] = [
    "Forwarded: for=203.0.113.5",
    "X-Forwarded-For: 203.0.113.5",
    "X-Forwarded-Host: login.example",
    "x-forwarded-proto: https",
    "X-Real-IP: 203.0.113.5",
    "Via: 1.1 tunnel",
    "CF-Connecting-IP: 203.0.113.5",
    "Tailscale-User-Login: eve@example.org",
    "True-Client-IP: 203.0.113.5",
    "CDN-Loop: cdn",
    "Fly-Client-IP: 203.0.113.5",
    "X-Original-Forwarded-For: 203.0.113.5",
];

/// Sends a request line and these header lines over a new connection.
async fn send(server: &TestServer, first: &str, lines: &[String], body: &str) -> Reply {
    let mut wire = Wire::open(server.app.address).await;
    wire.send(format!("{}\r\n\r\n{body}", [&[first.to_owned()], lines].concat().join("\r\n"))).await;
    wire.reply().await
}

async fn get(server: &TestServer, path: &str, host: &str) -> Reply {
    send(server, &format!("GET {path} HTTP/1.1"), &[format!("Host: {host}")], "").await
}

/// The login of the demo presenter, as a page of another host would send it after its name was rebound to 127.0.0.1.
async fn log_in_as_carol(server: &TestServer, more: &[String]) -> Reply {
    let body = format!("username=carol&password={DEMO_PASSWORD}");
    let kind = "Content-Type: application/x-www-form-urlencoded".to_owned();
    let lines = [more, &[kind, format!("Content-Length: {}", body.len())]].concat();
    send(server, "POST /jwt/login HTTP/1.1", &lines, &body).await
}

#[tokio::test]
async fn the_demo_password_is_for_hosts_of_this_machine() {
    let server = TestServer::start().await;
    for host in HERE {
        assert_eq!(get(&server, "/jwt/login", host).await.status, 200, "{host}");
    }
    for host in ELSEWHERE {
        for path in ["/", "/jwt/login", "/labs/cost", "/jwt/api/me", "/readyz"] {
            let reply = get(&server, path, host).await;
            assert_eq!(reply.status, 421, "{host}{path}");
            assert!(!reply.body.contains(DEMO_PASSWORD) && reply.body.contains("--public-url"), "{}", reply.body);
            let program = reply.header("content-type") == Some("application/problem+json");
            assert_eq!(program, path.contains("/api/"), "{path}");
        }
        let login = log_in_as_carol(&server, &[format!("Host: {host}"), format!("Origin: http://{host}")]).await;
        assert_eq!((login.status, login.header("set-cookie")), (421, None), "{host}");
    }
}

#[tokio::test]
async fn the_demo_password_is_for_nobody_behind_a_proxy_or_a_tunnel() {
    for options in [&[][..], &["--trusted-proxy", "127.0.0.1"]] {
        let server = TestServer::with(options).await;
        for header in FORWARDED {
            for path in ["/", "/jwt/login", "/labs/cost", "/jwt/api/me"] {
                let lines = ["Host: localhost".to_owned(), header.to_owned()];
                let reply = send(&server, &format!("GET {path} HTTP/1.1"), &lines, "").await;
                assert_eq!(reply.status, 403, "{header} {path}");
                assert!(!reply.body.contains(DEMO_PASSWORD), "{header}");
                for option in ["--public-url", "--trusted-proxy", "--no-demo"] {
                    assert!(reply.body.contains(option), "{option}: {}", reply.body);
                }
                let program = reply.header("content-type") == Some("application/problem+json");
                assert_eq!(program, path.contains("/api/"), "{path}");
            }
            let login = log_in_as_carol(&server, &["Host: localhost".to_owned(), header.to_owned()]).await;
            assert_eq!((login.status, login.header("set-cookie")), (403, None), "{header}");
        }
    }
}

/// nginx with `proxy_pass` and nothing else: HTTP/1.0, `Host` is the address of this server, and no header says so.
#[tokio::test]
async fn the_demo_password_is_for_nobody_behind_a_bare_proxy() {
    let server = TestServer::start().await;
    let host = format!("Host: {}", server.app.address);
    for path in ["/", "/jwt/login", "/labs/cost", "/jwt/api/me", "/readyz"] {
        let lines = [host.clone(), "Connection: close".to_owned()];
        let reply = send(&server, &format!("GET {path} HTTP/1.0"), &lines, "").await;
        assert_eq!(reply.status, 403, "{path}");
        assert!(!reply.body.contains(DEMO_PASSWORD) && reply.body.contains("--public-url"), "{}", reply.body);
    }
    // A proxy that speaks HTTP/1.1: the browser still says which address it shows.
    let same_origin = "Sec-Fetch-Site: same-origin";
    for line in
        ["Origin: https://login.example", "Referer: http://login.example:8080/jwt/", "Referer: https://192.0.2.7"]
    {
        for lines in [vec![line], vec![line, same_origin], vec!["Origin: null", line, same_origin]] {
            let lines: Vec<_> = lines.into_iter().map(ToOwned::to_owned).chain([host.clone()]).collect();
            let page = send(&server, "GET /jwt/login HTTP/1.1", &lines, "").await;
            assert_eq!(page.status, 403, "{lines:?}");
            assert!(!page.body.contains(DEMO_PASSWORD) && page.body.contains("--public-url"), "{}", page.body);
            let login = log_in_as_carol(&server, &lines).await;
            assert_eq!((login.status, login.header("set-cookie")), (403, None), "{lines:?}");
        }
    }
}

/// The slides of a workshop may link to the server of the presenter's own machine.
#[tokio::test]
async fn pages_of_this_machine_and_links_from_elsewhere_lead_to_the_demo() {
    let server = TestServer::start().await;
    let host = format!("Host: {}", server.app.address);
    for lines in [
        &["Referer: http://localhost:5000/jwt/", "Sec-Fetch-Site: same-origin"][..],
        &["Referer: http://127.0.0.1/jwt/"],
        &["Referer: https://slides.example/", "Sec-Fetch-Site: cross-site"],
        &["Referer: not an address"],
        &["Sec-Fetch-Site: none"],
    ] {
        let lines: Vec<_> = lines.iter().map(ToString::to_string).chain([host.clone()]).collect();
        assert_eq!(send(&server, "GET /jwt/login HTTP/1.1", &lines, "").await.status, 200, "{lines:?}");
    }
}

#[tokio::test]
async fn without_the_demo_password_proxies_and_names_of_the_network_are_welcome() {
    let server = TestServer::with(&["--no-demo"]).await;
    for host in HERE.into_iter().chain(ELSEWHERE) {
        let lines = [format!("Host: {host}"), FORWARDED.join("\r\n")];
        assert_eq!(send(&server, "GET /jwt/login HTTP/1.1", &lines, "").await.status, 200, "{host}");
    }
}

/// Whoever follows the page's advice for a tunnel must not leave the public password behind.
#[tokio::test]
async fn no_demo_locks_the_users_of_an_earlier_start() {
    let TestServer { app, redis } = TestServer::start().await;
    let url = format!("sqlite://{}/test.db?mode=rwc", app.folder.path().display());
    let again = TestApp::start(&["--database-url", &url, "--no-demo"]).await;
    let server = TestServer { app: again, redis };
    let login = log_in_as_carol(&server, &["Host: tunnel.example".to_owned()]).await;
    assert_eq!((login.status, login.header("set-cookie")), (401, None));
    drop(app);
}

#[tokio::test]
async fn with_a_public_url_the_server_answers_that_host_alone() {
    let server = TestServer::with(&["--public-url", "http://login.example"]).await;
    for host in ["login.example", "LOGIN.example", "login.example:80", "login.example."] {
        assert_eq!(get(&server, "/jwt/login", host).await.status, 200, "{host}");
    }
    for host in ["login.example:8080", "evil.example", "www.login.example", "127.0.0.1", "localhost"] {
        for path in ["/", "/jwt/login", "/jwt/api/me", "/labs/cost", "/openapi.json"] {
            let reply = get(&server, path, host).await;
            assert_eq!(reply.status, 421, "{host}{path}");
            assert!(reply.body.contains("login.example") && !reply.body.contains("evil"), "{}", reply.body);
        }
        // The load balancer and Prometheus use the address of the node.
        for path in ["/healthz", "/readyz", "/metrics", "/.well-known/jwks.json"] {
            assert_eq!(get(&server, path, host).await.status, 200, "{host}{path}");
        }
    }
    let form = [("username", "walter"), ("password", PASSWORD)];
    let request = bare_client().post(server.app.url("/jwt/register")).header("host", "login.example");
    assert_eq!(answer(request.form(&form)).await.status, 303);
}

#[tokio::test]
async fn a_public_url_of_this_machine_has_every_name_of_it() {
    for options in
        [&["--public-url", "http://127.0.0.1:5000"][..], &["--public-url", "http://localhost:5000", "--no-demo"]]
    {
        let server = TestServer::with(options).await;
        for host in HERE {
            assert_eq!(get(&server, "/jwt/login", host).await.status, 200, "{host}");
        }
        for host in ELSEWHERE {
            assert_eq!(get(&server, "/jwt/login", host).await.status, 421, "{host}");
        }
    }
}

/// RFC 9112, 3.2 and 3.2.2.
#[tokio::test]
async fn a_request_names_exactly_one_valid_host() {
    for options in [&[][..], &["--no-demo"], &["--public-url", "http://login.example"]] {
        let server = TestServer::with(options).await;
        let host = if options.len() == 2 { "login.example" } else { "localhost" };
        for path in ["/jwt/login", "/jwt/api/me", "/healthz"] {
            let first = format!("GET {path} HTTP/1.1");
            let doubled = [format!("Host: {host}"), format!("Host: {host}")];
            assert_eq!(send(&server, &first, &doubled, "").await.status, 400, "{options:?}: two");
            assert_eq!(send(&server, &first, &[], "").await.status, 400, "{options:?}: none");
            for bad in
                ["", "a b", "a:b", "a:99999", "login.example/x", "me@localhost", "[::1", "::1", "[::1]x", "h\u{e9}"]
            {
                assert_eq!(get(&server, path, bad).await.status, 400, "{options:?}: {bad:?}");
            }
            let absolute = format!("GET http://{host}{path} HTTP/1.1");
            assert_eq!(
                send(&server, &absolute, &[], "").await.status,
                400,
                "{options:?}: the target is no Host header"
            );
            let status = if path.contains("/api/") { 401 } else { 200 };
            let reply = send(&server, &absolute, &["Host: evil.example".to_owned()], "").await;
            assert_eq!(reply.status, status, "{options:?}: the target decides");
        }
        let absolute = "GET http://evil.example/jwt/login HTTP/1.1";
        let reply = send(&server, absolute, &[format!("Host: {host}")], "").await;
        assert_eq!(reply.status, if options == ["--no-demo"] { 200 } else { 421 }, "{options:?}");
    }
}

/// HTTP/1.0 has no Host, and some load balancers still ask so. Only where every host is welcome, or for operators.
#[tokio::test]
async fn http_1_0_may_leave_the_host_out() {
    for (options, page, health) in
        [(&[][..], 403, 403), (&["--no-demo"], 200, 200), (&["--public-url", "http://login.example"], 421, 200)]
    {
        let server = TestServer::with(options).await;
        assert_eq!(send(&server, "GET /jwt/login HTTP/1.0", &[], "").await.status, page, "{options:?}");
        assert_eq!(send(&server, "GET /healthz HTTP/1.0", &[], "").await.status, health, "{options:?}");
    }
}
