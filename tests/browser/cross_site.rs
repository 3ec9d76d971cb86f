//! The cross-site check, with what a real browser sends: `Sec-Fetch-Site` to loopback, only `Origin` to a plain http
//! address elsewhere, as in a workshop's network.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::chromium::Chromium;
use crate::common::{TestApp, me};

const PASSWORD: &str = "bread-and-cheese-at-four";

#[tokio::test]
async fn a_form_of_the_site_is_accepted_and_the_same_form_on_another_site_is_refused() {
    // With demo users a server on loopback refuses names that are not loopback's.
    let app = TestApp::start(&["--no-demo"]).await;
    let form = [("username", "alice"), ("password", PASSWORD)];
    let registered = app.bare_client().post(app.url("/session/register")).form(&form).send().await;
    assert_eq!(registered.expect("an answer").status(), 303);
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    for ours in ["127.0.0.1", "workshop.test"] {
        let base = format!("http://{ours}:{}", app.address.port());
        tab.open(&format!("{base}/session/login")).await;
        tab.log_in("alice", PASSWORD).await;
        assert_eq!(tab.path().await, "/session/profile", "a form of {base}");
        let cookie = format!("id={}", tab.cookie("id").await.expect("a login").value);

        let port = elsewhere(format!("{base}/session/logout-everywhere")).await;
        for theirs in [ours, "localhost", "evil.test"] {
            tab.open(&format!("http://{theirs}:{port}/")).await;
            tab.press("You have won!").await;
            assert_eq!(tab.status().await, 403, "a form on {theirs} that posts to {base}");
            tab.sees("This request came from another site, so the server refused it.").await;
            assert_eq!(me(&app, "/session", &cookie).await, 200, "the login goes on");
        }
    }
    tab.is_quiet_but_for(&["status of 403", "/favicon.ico", "Cross-Origin-Opener-Policy header has been ignored"])
        .await;
}

/// Another site, on a port of its own: a page with a button that posts to `target`.
async fn elsewhere(target: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let page = format!("<!doctype html><form method=post action='{target}'><button>You have won!</button></form>");
    let length = page.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
    );
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = socket.read(&mut [0; 4096]).await;
                let _ = socket.write_all(answer.as_bytes()).await;
            });
        }
    });
    port
}
