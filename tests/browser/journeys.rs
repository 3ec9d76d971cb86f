//! From the home page through every page of a mount and out again.

use super::chromium::Chromium;
use crate::common::{RedisServer, TestApp};

const PASSWORD: &str = "a tall green lighthouse";

#[tokio::test]
async fn a_person_walks_through_every_page_under_jwt() {
    walk("/jwt", "JWT in a cookie", "The server cannot know").await;
}

#[tokio::test]
async fn a_person_walks_through_every_page_under_session() {
    walk("/session", "Session in a shared store", "1 login of dora").await;
}

async fn walk(mount: &str, label: &str, devices: &str) {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;

    tab.open(&app.url("/")).await;
    tab.press(&format!("Open {label}")).await;
    tab.sees(label).await;
    tab.press("Register").await;
    tab.fill("User name", "dora").await;
    tab.fill("Password", PASSWORD).await;
    tab.press("Register").await;
    assert_eq!(tab.path().await, format!("{mount}/profile"), "who registers is logged in");
    tab.sees("What the server holds").await;
    tab.press("Devices").await;
    tab.sees(devices).await;
    tab.press("Password").await;
    tab.fill("Current password", PASSWORD).await;
    tab.fill("New password", "a small red lighthouse").await;
    tab.press("Change the password").await;
    tab.sees("Password changed").await;
    tab.press("Log out").await;
    assert_eq!(tab.path().await, format!("{mount}/"));
    assert_eq!(tab.text_of("nav").await.as_deref(), Some("Log in\nRegister"), "the navigation follows the cookie");
    tab.is_quiet_but_for(&[]).await;
}
