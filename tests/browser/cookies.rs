//! The login cookie: out of reach of scripts, and what a kept copy of it is worth after a log out.

use chromiumoxide::cdp::browser_protocol::network::{CookieParam, CookieSameSite};

use super::chromium::Chromium;
use crate::common::{DEMO_PASSWORD, RedisServer, TestApp};

#[tokio::test]
async fn no_script_reads_the_cookie_that_the_browser_holds() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    for (mount, name) in [("/jwt", "access_token_cookie"), ("/session", "id")] {
        tab.open(&app.url(&format!("{mount}/login"))).await;
        tab.log_in("alice", DEMO_PASSWORD).await;
        let cookie = tab.cookie(name).await.expect("the browser holds the login");
        assert!(cookie.http_only, "{name} is HttpOnly");
        assert_eq!(cookie.same_site, Some(CookieSameSite::Lax), "{name}");
        assert_eq!(cookie.path, mount, "{name} goes to its mount only");
        assert_eq!(tab.js::<String>("document.cookie").await.as_deref(), Some(""), "no script sees {name}");
        let told = tab.text_of("#script-sees").await;
        assert_eq!(told.as_deref(), Some("nothing: document.cookie is empty"), "the page's own script");
    }
    tab.is_quiet_but_for(&[]).await;
}

#[tokio::test]
async fn a_kept_cookie_opens_jwt_after_the_log_out_and_session_no_more() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    for (mount, name, lands_on) in [
        ("/jwt", "access_token_cookie", "/jwt/profile"),
        ("/session", "id", "/session/login?next=%2Fsession%2Fprofile"),
    ] {
        tab.open(&app.url(&format!("{mount}/login"))).await;
        tab.log_in("alice", DEMO_PASSWORD).await;
        let kept = tab.cookie(name).await.expect("the browser holds the login");
        tab.press("Log out").await;
        assert!(tab.cookie(name).await.is_none(), "a log out takes {name} away");

        let mut replay = CookieParam::new(name, kept.value);
        replay.path = Some(mount.to_owned());
        tab.page.set_cookie(replay).await.expect("the cookie is back");
        tab.open(&app.url(&format!("{mount}/profile"))).await;
        assert_eq!(tab.path().await, lands_on, "the old cookie under {mount}");
    }
    tab.sees("the store has no login under this id").await;
    tab.is_quiet_but_for(&[]).await;
}
