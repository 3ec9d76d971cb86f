//! The cookies, attribute by attribute, over http and behind https.

use std::time::Duration;

use jwt_vs_session::auth::Transport;

use super::client::{Answer, answer};
use super::server::{PASSWORD, TestServer, base};
use crate::common::{DEMO_PASSWORD, me};

/// The attributes of a `Set-Cookie` line that its removal must have too.
pub fn attributes(line: &str) -> Vec<&str> {
    let lasting = |part: &&str| !part.starts_with("Max-Age") && !part.starts_with("Expires");
    let mut parts: Vec<_> = line.split("; ").skip(1).filter(lasting).collect();
    parts.sort_unstable();
    parts
}

#[tokio::test]
async fn over_http_a_cookie_is_http_only_lax_and_below_its_mount() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let login = server.client(mount).log_in("alice", DEMO_PASSWORD).await;
        let line = login.cookie(mount.transport.cookie).expect("a cookie");
        assert_eq!(attributes(line), ["HttpOnly", &format!("Path={}", base(mount)), "SameSite=Lax"]);
        assert!(!line.contains("Expires"), "{line}");
        assert_eq!(login.header("strict-transport-security"), None);
    }
}

#[tokio::test]
async fn behind_https_a_cookie_is_also_secure_and_has_the_prefix() {
    let server = TestServer::with(&["--public-url", "https://login.example", "--demo"]).await;
    for mount in server.mounts() {
        let name = format!("__Secure-{}", mount.transport.cookie);
        let login = registered(&server, &base(mount), mount.slug).await;
        let line = login.cookie(&name).unwrap_or_else(|| panic!("{name}: {login:?}"));
        let expected = ["HttpOnly", &format!("Path={}", base(mount)), "SameSite=Lax", "Secure"];
        assert_eq!(attributes(line), expected);
        assert_eq!(login.header("strict-transport-security"), Some("max-age=31536000"));
        for other in login.headers.get_all("set-cookie") {
            assert_eq!(attributes(other.to_str().expect("text")), expected, "{other:?}");
            assert!(other.to_str().expect("text").starts_with("__Secure-"), "{other:?}");
        }
        let cookie = line.split(';').next().expect("a pair");
        assert_eq!(me(&server.app, &base(mount), cookie).await, 200);
        let bare_name = cookie.trim_start_matches("__Secure-");
        assert_eq!(me(&server.app, &base(mount), bare_name).await, 401, "a name that an insecure page can set");
        let logout =
            server.app.bare_client().post(server.app.url(&format!("{}/logout", base(mount)))).header("cookie", cookie);
        let logout = answer(logout).await;
        let removal = logout.cookie(&name).expect("a removal");
        assert!(removal.contains("Max-Age=0") && attributes(removal) == expected, "{removal}");
    }
}

async fn registered(server: &TestServer, base: &str, user: &str) -> Answer {
    let form = [("username", user), ("password", PASSWORD)];
    let login = answer(server.app.bare_client().post(server.app.url(&format!("{base}/register"))).form(&form)).await;
    assert_eq!(login.status, 303, "{}", login.body);
    login
}

/// The browser keeps a cookie as long as the login can last, and no longer.
#[tokio::test]
async fn a_cookie_lives_as_long_as_its_login_can() {
    let lives = ["--access-ttl", "7m", "--session-idle", "11m", "--session-absolute", "3h"];
    let server = TestServer::with(&[&lives[..], &["--short-ttl", "40s", "--refresh-ttl", "2d"]].concat()).await;
    for mount in server.mounts() {
        let login = server.client(mount).log_in("alice", DEMO_PASSWORD).await;
        let age = |cookie| {
            let line: &str = login.cookie(cookie).expect("a cookie");
            line.split("; ").find_map(|part| part.strip_prefix("Max-Age=")).expect("a life").to_owned()
        };
        let expected = match mount.transport {
            Transport { refresh_cookie: Some(renewal), .. } => {
                assert_eq!(age(renewal), (48 * 3600).to_string());
                40
            }
            Transport { bearer: true, .. } => 7 * 60,
            Transport { .. } => 3 * 3600,
        };
        assert_eq!(age(mount.transport.cookie), expected.to_string(), "{}", mount.slug);
    }
}

/// A session in use goes on past its idle limit, up to the absolute one. A token expires at its `exp`.
#[tokio::test]
async fn both_limits_of_a_session_are_enforced() {
    let lives = ["--access-ttl", "7m", "--session-idle", "10m", "--session-absolute", "25m", "--refresh-ttl", "25m"];
    let server = TestServer::with(&lives).await;
    let mut logins = Vec::new();
    for mount in server.mounts() {
        let (used, left) = (server.client(mount), server.client(mount));
        used.demo_login("alice").await;
        logins.push((mount, used, left.demo_login("alice").await));
    }
    let mut minutes = 0;
    for (pause, session_goes_on) in [(6, true), (9, true), (9, true), (1, false)] {
        minutes += pause;
        server.app.clock.advance(Duration::from_secs(pause * 60));
        for (mount, used, _) in &logins {
            let token = mount.transport.bearer && mount.transport.refresh_cookie.is_none();
            let goes_on = if token { minutes < 7 } else { session_goes_on };
            assert_eq!(used.me().await.status == 200, goes_on, "{} after {minutes} min", mount.slug);
        }
    }
    for (mount, _, left) in &logins {
        assert!(!server.accepts(mount, left).await, "{}: it was not used", mount.slug);
    }
}
