//! A login that has ended: no page goes on showing what it showed of the user.

use std::time::Instant;

use super::chromium::Chromium;
use super::tab::Tab;
use crate::common::{DEMO_PASSWORD, RedisServer, TestApp, client, until};

async fn log_in(app: &TestApp, tab: &Tab, mount: &str) {
    tab.open(&app.url(&format!("{mount}/login?next={mount}/profile"))).await;
    tab.log_in("alice", DEMO_PASSWORD).await;
    tab.sees("What the server holds").await;
}

#[tokio::test]
async fn a_page_whose_login_was_revoked_elsewhere_removes_its_data() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    for mount in ["/session", "/session-tracked", "/jwt-pushed", "/jwt-generation"] {
        log_in(&app, &tab, mount).await;
        let elsewhere = client();
        let form = [("username", "alice"), ("password", DEMO_PASSWORD)];
        for (path, form) in [("/login", &form[..]), ("/logout-everywhere", &[])] {
            let request = elsewhere.post(app.url(&format!("{mount}{path}"))).form(form);
            assert_eq!(request.send().await.expect("an answer").status(), 303, "{mount}{path}");
        }
        // Its text is in the page from the beginning.
        let is_shown = "document.getElementById('ended')?.hidden === false";
        until("the page says that its login has ended", async || tab.js::<bool>(is_shown).await == Some(true)).await;
        assert!(tab.text().await.contains("no longer accepts this login"), "{mount}");
        let text = tab.text().await;
        for data in ["alice", "What the server holds", "What this request did", "Log out"] {
            assert!(!text.contains(data), "{mount}: {data} in {text}");
        }
        assert_eq!(tab.js::<usize>("document.querySelectorAll('main *, aside *').length").await, Some(0));
        tab.press("Log in").await;
        assert_eq!(tab.path().await, format!("{mount}/login"));
    }
    tab.is_quiet_but_for(&[]).await;
}

#[tokio::test]
async fn a_page_that_comes_back_after_a_log_out_shows_nothing_of_the_user() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    for mount in ["/jwt", "/session"] {
        log_in(&app, &tab, mount).await;
        let begun = Instant::now();
        tab.press("Log out").await;
        println!("{mount}: the log out took {:?}", begun.elapsed());
        assert_eq!(tab.path().await, format!("{mount}/"));
        tab.leave_by(async || {
            let _: Option<()> = tab.js("history.back()").await;
        })
        .await;
        assert_eq!(tab.path().await, format!("{mount}/login?next=%2F{}%2Fprofile", &mount[1..]), "loaded again");
        assert!(!tab.text().await.contains("What the server holds"), "{mount}");
    }
    tab.is_quiet_but_for(&[]).await;
}

#[tokio::test]
async fn a_page_in_the_browsers_memory_is_hidden_and_loaded_again() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    for mount in ["/jwt", "/session-memory"] {
        log_in(&app, &tab, mount).await;
        // Chromium keeps few pages under automation: the events are those that it sends.
        let _: Option<bool> = tab.js("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))").await;
        assert_eq!(tab.js::<bool>("document.body.checkVisibility()").await, Some(false), "{mount}: hidden");
        tab.leave_by(async || {
            let back = "dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))";
            let _: Option<bool> = tab.js(back).await;
        })
        .await;
        tab.sees("What the server holds").await;
    }
    tab.is_quiet_but_for(&[]).await;
}
