//! axe-core examines every page, in the light, in the dark and on a telephone: no page breaks one of its rules.
//!
//! The links of the pages lead to most of them, so a new page that others link to is examined, too.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chromiumoxide::cdp::js_protocol::runtime::EvaluateParams;
use serde::Deserialize;

use super::chromium::{Chromium, WINDOW};
use super::tab::Tab;
use crate::common::{DEMO_PASSWORD, LONG_PATIENCE, RedisServer, TestApp, until, until_within};

/// axe-core, where `tests/run` puts it.
static AXE: LazyLock<String> = LazyLock::new(|| {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/axe-core/axe.min.js");
    let path = std::env::var("AXE_CORE").unwrap_or_else(|_| kept.to_owned());
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}. Run tests/run: it fetches axe-core"))
});

/// The narrowest telephone.
const NARROW: u32 = 360;

/// Every rule that axe-core applies by default, the best practices included.
const EXAMINE: &str = "axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations.map(rule => ({
    rule: rule.id, help: rule.help, places: rule.nodes.map(node => node.html.slice(0, 200) + ' | ' + node.failureSummary),
})))";

#[derive(Debug, Deserialize)]
#[allow(dead_code)] // for the message of a failure
struct Violation {
    rule: String,
    help: String,
    places: Vec<String>,
}

/// What axe-core finds on the page as it stands.
async fn violations(tab: &Tab) -> Vec<Violation> {
    if tab.js::<String>("typeof axe").await.as_deref() != Some("object") {
        let _: Option<bool> = tab.js(&AXE).await;
    }
    let examine = EvaluateParams::builder().expression(EXAMINE).await_promise(true).return_by_value(true).build();
    let answer = tab.page.execute(examine.expect("an expression")).await.expect("axe-core runs");
    let value = answer.result.result.value.clone();
    let found = value.unwrap_or_else(|| panic!("axe-core fails: {:?}", answer.result.exception_details));
    serde_json::from_value(found).expect("a list")
}

/// Fails if the page breaks a rule.
async fn examine(tab: &Tab, name: &str) {
    let mut all = Vec::new();
    for (scheme, width) in [("light", WINDOW.0), ("dark", WINDOW.0), ("light", NARROW)] {
        tab.prefer(scheme).await;
        tab.resize(width).await;
        all.extend(violations(tab).await.into_iter().map(|found| (scheme, width, found)));
    }
    tab.prefer("light").await;
    tab.resize(WINDOW.0).await;
    assert!(all.is_empty(), "{name}, {}: {all:#?}", tab.path().await);
}

/// Opens and examines each page that links lead to, from `start`, below the prefixes.
async fn follow_links(tab: &Tab, app: &TestApp, start: &str, prefixes: &[&str]) -> BTreeSet<String> {
    let links =
        "[...document.querySelectorAll('a[href]')].filter(a => a.origin === location.origin).map(a => a.pathname)";
    let (mut seen, mut waiting) = (BTreeSet::new(), vec![start.to_owned()]);
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        tab.open(&app.url(&path)).await;
        examine(tab, &path).await;
        let found: Vec<String> = tab.js(links).await.expect("links");
        let ours = |path: &String| {
            path != "/openapi.json"
                && prefixes.iter().any(|prefix| path == prefix || path.starts_with(&format!("{prefix}/")))
        };
        waiting.extend(found.into_iter().filter(ours));
    }
    seen
}

#[tokio::test]
async fn axe_core_sees_a_broken_rule() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let tab = chromium.tab().await;
    tab.open(&app.url("/")).await;
    let breakage = "document.querySelector('main').innerHTML += '<svg role=img aria-label=chart><a href=\"#x\" tabindex=\"-1\"><text>dot</text></a></svg>'; true";
    assert_eq!(tab.js::<bool>(breakage).await, Some(true));
    let found = violations(&tab).await;
    assert!(found.iter().any(|found| found.rule == "nested-interactive"), "{found:#?}");
}

#[tokio::test]
async fn pages_outside_of_the_mounts_break_no_rule() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let chromium = Chromium::start().await;
    let tab = chromium.tab().await;
    let seen = follow_links(&tab, &app, "/", &["/", "/labs", "/docs"]).await;
    assert!(seen.contains("/docs") && seen.contains("/labs/cost") && seen.contains("/labs/revocation"), "{seen:?}");
    tab.open(&app.url("/nowhere")).await;
    examine(&tab, "an error page").await;
    tab.open(&app.url("/labs/cost?users=many")).await;
    examine(&tab, "a wrong capacity field").await;
}

#[tokio::test]
async fn pages_of_jwt_break_no_rule() {
    walk("jwt").await;
}

#[tokio::test]
async fn pages_of_session_break_no_rule() {
    walk("session").await;
}

async fn walk(mount: &str) {
    let mut redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let chromium = Chromium::start().await;
    let tab = chromium.tab().await;
    let base = format!("/{mount}");
    let start = format!("{base}/");
    let seen = follow_links(&tab, &app, &start, &[&base]).await;
    assert!(seen.contains(&format!("{base}/login")) && seen.contains(&format!("{base}/register")), "{seen:?}");
    tab.open(&app.url(&format!("{base}/nowhere"))).await;
    examine(&tab, "an error page").await;
    tab.open(&app.url(&format!("{base}/login"))).await;
    for (password, name) in [("nonsense", "a wrong password"), (DEMO_PASSWORD, "after the login")] {
        tab.log_in("alice", password).await;
        examine(&tab, name).await;
    }
    let seen = follow_links(&tab, &app, &start, &[&base]).await;
    assert!(seen.contains(&format!("{base}/profile")) && seen.contains(&format!("{base}/devices")), "{seen:?}");
    tab.open(&app.url(&format!("{base}/password"))).await;
    tab.fill("Current password", "nonsense").await;
    tab.fill("New password", "nonsense and more").await;
    tab.press("Change the password").await;
    examine(&tab, "a refused password change").await;
    tab.fill("Current password", DEMO_PASSWORD).await;
    tab.fill("New password", DEMO_PASSWORD).await;
    tab.press("Change the password").await;
    examine(&tab, "after a password change").await;
    redis.kill();
    tab.open(&app.url(&format!("{base}/profile"))).await;
    examine(&tab, "without Redis").await;
}

/// Only a presenter sees the links to these pages.
#[tokio::test]
async fn pages_of_users_break_no_rule() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let chromium = Chromium::start().await;
    let tab = chromium.tab().await;
    for mount in ["/session", "/jwt"] {
        tab.open(&app.url(&format!("{mount}/login"))).await;
        tab.log_in("carol", DEMO_PASSWORD).await;
        let list = format!("{mount}/users");
        let seen = follow_links(&tab, &app, &list, &[&list]).await;
        assert!(seen.len() >= 4, "the list, and a page of each user: {seen:?}");
        tab.open(&app.url(&format!("{list}?name=nobody-of-this-name"))).await;
        examine(&tab, "a name that nobody has").await;
    }
    tab.open(&app.url("/session/users")).await;
    for action in ["Disable", "Enable"] {
        tab.press("bob").await;
        examine(&tab, action).await;
        tab.press(&format!("{action} bob")).await;
        examine(&tab, &format!("after {action}")).await;
    }
    tab.press("bob").await;
    tab.fill("Type the name to delete the user", "bob").await;
    tab.press("Delete bob").await;
    tab.sees("bob is deleted.").await;
    examine(&tab, "after Delete").await;
}

#[tokio::test]
async fn the_cost_lab_breaks_no_rule_while_it_runs_and_afterwards() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let tab = chromium.tab().await;
    tab.open(&app.url("/labs/cost")).await;
    let _: Option<bool> = tab.js("document.getElementById('measure').click()").await;
    until("the progress is shown", async || tab.text().await.contains("of 9 …")).await;
    examine(&tab, "a cost run").await;
    let over = "document.getElementById('progress').hidden";
    until_within(LONG_PATIENCE, "the run is over", async || tab.js(over).await == Some(true)).await;
    examine(&tab, "after a cost run").await;
}

#[tokio::test]
async fn the_revocation_lab_breaks_no_rule_while_it_runs_and_afterwards() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let chromium = Chromium::start().await;
    let tab = chromium.tab().await;
    tab.open(&app.url("/labs/revocation")).await;
    let _: Option<bool> = tab.js("document.getElementById('start').click()").await;
    until("the logins are probed", async || tab.text().await.contains("seven times a second")).await;
    examine(&tab, "a revocation run").await;
    let _: Option<bool> = tab.js("document.getElementById('revoke').click()").await;
    until("the session is refused", async || tab.text().await.contains("refused")).await;
    examine(&tab, "after the revoke").await;
    until("the run is over", async || tab.text().await.contains("The run is over")).await;
    examine(&tab, "after a revocation run").await;
}
