//! Screenshots for people, and what can be said of them without eyes: nothing is wider than its window, and what
//! belongs to the screen alone is not printed.

use chromiumoxide::cdp::browser_protocol::page::PrintToPdfParams;
use chromiumoxide::page::MediaTypeParams;

use super::chromium::{Chromium, WINDOW};
use super::tab::{Tab, keep};
use crate::common::{DEMO_PASSWORD, RedisServer, TestApp};

/// The narrowest.
const TELEPHONE: u32 = 360;

/// A picture; and the page fits a projector and a telephone.
async fn look(tab: &Tab, name: &str) {
    tab.shot(name).await;
    for width in [TELEPHONE, WINDOW.0] {
        tab.resize(width).await;
        let wide: Option<u32> = tab.js("document.documentElement.scrollWidth").await;
        assert_eq!(wide, Some(width), "{name} is wider than its window");
    }
}

/// The same, with a picture in the dark and one of the telephone.
pub async fn look_closely(tab: &Tab, name: &str) {
    look(tab, name).await;
    tab.prefer("dark").await;
    tab.shot(&format!("{name}-dark")).await;
    tab.prefer("light").await;
    tab.resize(TELEPHONE).await;
    tab.shot(&format!("{name}-narrow")).await;
    tab.resize(WINDOW.0).await;
}

#[tokio::test]
async fn no_page_outside_of_the_mounts_is_wider_than_its_window() {
    let app = TestApp::start(&["--node", "node-1"]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    tab.open(&app.url("/")).await;
    look_closely(&tab, "home-without-redis").await;
    for (path, name) in [("/docs", "docs"), ("/nowhere", "error"), ("/session/login", "login-without-redis")] {
        tab.open(&app.url(path)).await;
        look(&tab, name).await;
    }
    tab.is_quiet_but_for(&["status of 404"]).await;
}

#[tokio::test]
async fn no_page_of_jwt_is_wider_than_its_window() {
    walk("jwt").await;
}

#[tokio::test]
async fn no_page_of_session_is_wider_than_its_window() {
    walk("session").await;
}

async fn walk(mount: &str) {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url(), "--node", "node-1"]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    let called = |name: &str| format!("{name}-{mount}");
    tab.open(&app.url("/")).await;
    look(&tab, "home").await;
    for (path, name) in [("", "landing"), ("register", "register"), ("nowhere", "error"), ("login", "login")] {
        tab.open(&app.url(&format!("/{mount}/{path}"))).await;
        look(&tab, &called(name)).await;
    }
    for (password, name) in [("nonsense", "wrong-password"), (DEMO_PASSWORD, "logged-in")] {
        tab.log_in("alice", password).await;
        look(&tab, &called(name)).await;
    }
    tab.press("My profile").await;
    look_closely(&tab, &called("profile")).await;
    for (page, name) in [("Devices", "devices"), ("Password", "password")] {
        tab.press(page).await;
        look(&tab, &called(name)).await;
    }
    tab.fill("Current password", DEMO_PASSWORD).await;
    tab.fill("New password", DEMO_PASSWORD).await;
    tab.press("Change the password").await;
    look(&tab, &called("password-changed")).await;
    tab.press("Log out").await;
    look(&tab, &called("logged-out")).await;
    tab.is_quiet_but_for(&["status of 404", "status of 401"]).await;
}

/// Only a presenter sees the links to these pages.
#[tokio::test]
async fn no_page_of_users_is_wider_than_its_window() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url(), "--node", "node-1"]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    tab.open(&app.url("/session/login?next=/session/users")).await;
    tab.log_in("carol", DEMO_PASSWORD).await;
    look_closely(&tab, "users").await;
    tab.press("carol").await;
    look(&tab, "user-oneself").await;
    tab.press("All users").await;
    for (action, name) in [("Disable bob", "user"), ("Enable bob", "user-disabled")] {
        tab.press("bob").await;
        look_closely(&tab, name).await;
        tab.press(action).await;
        look_closely(&tab, &format!("{name}-done")).await;
    }
    tab.press("bob").await;
    tab.fill("Type the name to delete the user", "bob").await;
    tab.press("Delete bob").await;
    look_closely(&tab, "user-deleted").await;
    tab.open(&app.url("/jwt/login?next=/jwt/users")).await;
    tab.log_in("carol", DEMO_PASSWORD).await;
    tab.press("alice").await;
    look(&tab, "user-read-only").await;
    tab.is_quiet_but_for(&[]).await;
}

#[tokio::test]
async fn a_page_is_printed_with_its_content_and_without_buttons() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let tab = chromium.tab().await;
    tab.open(&app.url("/jwt/login")).await;
    tab.log_in("alice", DEMO_PASSWORD).await;
    let pdf = tab.page.pdf(PrintToPdfParams::default()).await.expect("a printed page");
    assert!(pdf.starts_with(b"%PDF"));
    keep("profile-jwt.pdf", &pdf);

    tab.page.emulate_media_type(MediaTypeParams::Print).await.expect("paper");
    let paper = tab.text().await;
    for words in ["What the server holds", "What this request did", "logged in as alice"] {
        assert!(paper.contains(words), "{words} is not printed:\n{paper}");
    }
    for words in ["Log out everywhere", "My profile", "openapi.json"] {
        assert!(!paper.contains(words), "{words} is printed:\n{paper}");
    }
}
