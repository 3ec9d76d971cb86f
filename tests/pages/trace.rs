//! The panel "What this request did", on every page of every mount, and the same in `Server-Timing`.

use super::client::{Answer, answer, between, unescaped};
use super::server::{TestServer, base};
use crate::common::{DEMO_PASSWORD, bare_client};

const HEADING: &str = "What this request did";
const PREVIOUS: &str = "The request before this one";

/// The panel under a heading, as a reader sees it.
fn panel(page: &Answer, heading: &str) -> Option<String> {
    let panels = page.body.split("<section class=\"trace\"").skip(1);
    let mut panels = panels.filter_map(|panel| panel.split_once("</section>").map(|(panel, _)| panel));
    panels.find(|panel| panel.contains(&format!(">{heading}</h2>"))).map(unescaped)
}

#[tokio::test]
async fn every_page_shows_the_steps_of_server_timing() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let client = server.client(mount);
            for logged_in in [false, true] {
                let pages = ["/", "/login", "/register", "/nowhere", "/profile", "/devices", "/password"];
                for path in &pages[..if logged_in { 7 } else { 4 }] {
                    let page = client.get(path).await;
                    let panel = panel(&page, HEADING).unwrap_or_else(|| panic!("{path} has no panel"));
                    let request = format!("<code>GET {}{path}</code>", client.base);
                    assert!(panel.contains(&request) && panel.contains(&format!("<strong>{}</strong>", page.status)));
                    assert_same_steps(&page, &panel);
                    let said = if logged_in { "accepted: logged in as alice" } else { "not logged in" };
                    assert!(panel.contains(said), "{path}: {panel}");
                }
                client.demo_login("alice").await;
                client.get("/").await;
            }
        }
    }
}

/// Each step of the header stands in the panel, in the same order; all but the total, which has a place of its own.
fn assert_same_steps(page: &Answer, panel: &str) {
    let rows = panel.split("<span class=\"kind\">").skip(1);
    let rows: Vec<_> =
        rows.filter_map(|row| row.split_once("</td>").map(|(row, _)| row.replace("</span>", ""))).collect();
    let steps = page.steps();
    let (total, steps) = steps.split_last().expect("steps");
    let words =
        steps.iter().filter_map(|step| step.split_once(";desc=").map(|(kind, words)| (kind, words.trim_matches('"'))));
    let expected: Vec<_> = words.map(|(kind, words)| format!("{kind} {words}")).collect();
    assert_eq!((rows, total.as_str()), (expected, "total"));
}

#[tokio::test]
async fn the_panel_shows_the_credential_with_its_size_and_never_whole() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let client = server.client(mount);
            let cookie = client.demo_login("alice").await;
            let (name, value) = cookie.split_once('=').expect("a pair");
            let secret = value.rsplit('.').next().expect("the part that proves");
            client.get("/").await;
            for path in ["/", "/profile", "/devices", "/nowhere"] {
                let page = client.get(path).await;
                let panel = panel(&page, HEADING).expect("a panel");
                let sent = between(&panel, "The browser sent", "<table").expect("a credential");
                assert!(sent.contains(&format!("<code>{name}</code>")) && sent.contains("Cookie header"), "{sent}");
                assert!(sent.contains(&format!("<strong>{}</strong> bytes", value.len())), "{sent}");
                assert!(!page.body.contains(secret), "{}{path} shows the credential", client.base);
            }
        }
    }
}

#[tokio::test]
async fn the_panel_shows_the_reason_of_a_refusal() {
    let server = TestServer::start().await;
    let mut expired = Vec::new();
    for mount in server.mounts() {
        let cookie = server.client(mount).demo_login("alice").await;
        for (forged, reason) in forged(&cookie) {
            assert_refused(&server, &base(mount), &forged, reason).await;
        }
        expired.push((base(mount), cookie));
    }
    server.app.clock.advance(std::time::Duration::from_hours(13));
    for (base, cookie) in expired {
        assert_refused(&server, &base, &cookie, "expired").await;
    }
}

/// Altered credentials, each with a part of the reason. A form that this test does not know may name any reason.
fn forged(cookie: &str) -> Vec<(String, &'static str)> {
    let (name, value) = cookie.split_once('=').expect("a pair");
    let (is_token, is_session_id) = (value.matches('.').count() == 2, value.len() == 22);
    if !is_token && !is_session_id {
        return vec![(format!("{name}=x"), "")];
    }
    if is_session_id {
        let short = (format!("{name}=x"), "this is not a session id");
        return vec![short, (format!("{name}=AAAAAAAAAAAAAAAAAAAAAA"), "the store has no login under this id")];
    }
    let (signed, signature) = value.rsplit_once('.').expect("a signature");
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    vec![
        (format!("{name}={signed}.{first}{}", &signature[1..]), "the signature does not match"),
        (format!("{name}=x"), "its form is wrong"),
        (format!("{name}=e30.{}", value.split_once('.').expect("claims").1), "the header is not one of this server"),
    ]
}

async fn assert_refused(server: &TestServer, base: &str, cookie: &str, reason: &str) {
    let page = answer(bare_client().get(server.app.url(&format!("{base}/"))).header("cookie", cookie)).await;
    let panel = panel(&page, HEADING).expect("a panel");
    let verdict = between(&panel, "class=\"verdict refused\">", "</div>").unwrap_or_else(|| panic!("{base}: {panel}"));
    assert!(verdict.contains("refused: not logged in") && verdict.contains(reason), "{base}: {reason} in {verdict}");
}

#[tokio::test]
async fn the_page_after_a_login_explains_the_cookie_once() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let client = server.client(mount);
            let login = client.log_in("alice", DEMO_PASSWORD).await;
            let first = client.follow(&login).await;
            let before = panel(&first, PREVIOUS).expect("the panel of the POST");
            assert!(before.contains(&format!("<code>POST {}/login</code>", client.base)), "{before}");
            assert!(before.contains("<strong>303</strong>") && before.contains("a new login for alice"), "{before}");
            assert!(before.contains("argon2id"), "{before}");
            let set = before.split_once("The server set").expect("a cookie").1;
            let path = format!("Path={}", base(mount));
            for attribute in ["HttpOnly", "SameSite=Lax", path.as_str(), "Max-Age="] {
                let explained = between(set, &format!("<dt><code>{attribute}"), "</dd>");
                let why = explained.and_then(|rest| rest.split_once("<dd>")).map_or("", |(_, why)| why);
                assert!(why.ends_with('.'), "{attribute} is not explained: {set}");
            }
            assert!(panel(&first, HEADING).is_some(), "and its own");
            assert!(panel(&client.get("/profile").await, PREVIOUS).is_none(), "it is shown once");
        }
    }
}

#[tokio::test]
async fn the_panel_of_a_post_is_for_the_browser_that_sent_it() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let login = server.client(mount).log_in("alice", DEMO_PASSWORD).await;
        assert_eq!(login.status, 303);
        for name in ["", "x", "AAAAAAAAAAAAAAAAAAAAAA"] {
            let url = server.app.url(&format!("{}/", base(mount)));
            let page = answer(bare_client().get(url).header("cookie", format!("previous_request={name}"))).await;
            assert!(panel(&page, PREVIOUS).is_none(), "{name}");
        }
    }
}
