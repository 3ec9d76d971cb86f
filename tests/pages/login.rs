//! Register, log in, and return to the page that needed the login.

use std::time::Duration;

use jwt_vs_session::auth::Transport;

use super::client::{Answer, between, unescaped};
use super::server::{PASSWORD, TestServer, base, name};
use crate::common::DEMO_PASSWORD;

/// A token keeps its `exp`; the idle timeout of a session slides with the request; a short token is renewed.
#[tokio::test]
async fn the_profile_says_how_long_the_credential_is_valid() {
    let lives = ["--access-ttl", "7m", "--session-idle", "10m", "--short-ttl", "90s"];
    let server = TestServer::with(&lives).await;
    for mount in server.mounts() {
        let client = server.client(mount);
        client.demo_login("alice").await;
        server.app.clock.advance(Duration::from_mins(4));
        let profile = client.get("/profile").await.body;
        let left = match mount.transport {
            Transport { refresh_cookie: Some(_), .. } => "1m 30s",
            Transport { bearer: true, .. } => "3m",
            Transport { .. } => "10m",
        };
        let sentence = format!("The credential is valid for another <strong>{left}</strong>.");
        assert!(profile.contains(&sentence), "{}: {left} in {profile}", mount.slug);
    }
}

#[tokio::test]
async fn registering_logs_in_and_leads_to_the_profile() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let (client, user) = (server.client(mount), name(mount, "newcomer"));
            let answer = client.post("/register", &[("username", &user), ("password", PASSWORD)]).await;
            assert_eq!((answer.status, answer.location()), (303, format!("{}/profile", client.base).as_str()));
            let profile = client.follow(&answer).await;
            assert_eq!(profile.status, 200);
            assert!(profile.body.contains(&format!("<h1>{user}</h1>")), "{}", profile.body);
            assert_eq!(client.me().await.json()["username"], user.as_str());
            assert_eq!(server.client(mount).log_in(&user, PASSWORD).await.status, 303, "the password was kept");
        }
    }
}

#[tokio::test]
async fn every_page_shows_the_navigation_of_its_login() {
    for server in TestServer::on_both_databases().await {
        for mount in server.mounts() {
            let client = server.client(mount);
            for (path, status) in [("/", 200), ("/register", 200), ("/login", 200), ("/nowhere", 404)] {
                let page = client.get(path).await;
                assert_eq!((page.status, navigation(&page)), (status, vec!["Log in", "Register"]), "{path}");
            }
            client.demo_login("alice").await;
            let pages = ["/", "/profile", "/devices", "/password", "/register", "/login"].map(|path| (path, 200));
            for (path, status) in pages.into_iter().chain([("/nowhere", 404)]) {
                let page = client.get(path).await;
                let expected = vec!["My profile", "Devices", "Password", "Log out"];
                assert_eq!((page.status, navigation(&page)), (status, expected), "{}{path}", client.base);
            }
        }
    }
}

/// The words of the links and buttons in the navigation.
fn navigation(page: &Answer) -> Vec<&str> {
    let nav = between(&page.body, "<nav", "</nav>").expect("a navigation");
    let ends = nav.split(['<']).filter(|part| part.starts_with("a ") || part.starts_with("button"));
    ends.filter_map(|part| part.split_once('>').map(|(_, words)| words)).collect()
}

#[tokio::test]
async fn a_page_that_needs_a_login_leads_to_it_and_back() {
    for server in TestServer::on_both_databases().await {
        for mount in server.title_pair() {
            let client = server.client(mount);
            for page in ["/profile", "/devices", "/password", "/devices?sort=seen&order=up"] {
                let wanted = format!("{}{page}", client.base);
                let refused = client.get(page).await;
                let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", &wanted).finish();
                assert_eq!(refused.status, 303);
                assert_eq!(refused.location(), format!("{}/login?{query}", client.base));
                let next = next_of(&client.follow(&refused).await).expect("the way back");
                let fields = [("username", "alice"), ("password", DEMO_PASSWORD), ("next", &next)];
                let answer = server.client(mount).post("/login", &fields).await;
                assert_eq!((answer.status, answer.location()), (303, wanted.as_str()));
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_password_keeps_the_way_back() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let next = format!("{}/devices", base(mount));
        let fields = [("username", "alice"), ("password", "wrong"), ("next", &next)];
        let page = server.client(mount).post("/login", &fields).await;
        assert_eq!((page.status, next_of(&page)), (401, Some(next)));
    }
}

#[tokio::test]
async fn next_never_leaves_the_mount() {
    let server = TestServer::start().await;
    for mount in server.title_pair() {
        let base = base(mount);
        let others = server.mounts().iter().filter(|other| other.slug != mount.slug);
        let others = others.map(|other| format!("/{}/profile", other.slug));
        for next in evil(&base).into_iter().chain(others) {
            let client = server.client(mount);
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", &next).finish();
            let form = client.get(&format!("/login?{query}")).await;
            assert_eq!((form.status, next_of(&form)), (200, None), "{next:?} is offered");
            let fields = [("username", "alice"), ("password", DEMO_PASSWORD), ("next", &next)];
            let answer = client.post("/login", &fields).await;
            assert_eq!((answer.status, answer.location()), (303, format!("{base}/profile").as_str()), "{next:?}");
        }
    }
}

fn evil(base: &str) -> Vec<String> {
    let with_base = [
        "//evil.example{}/",
        "https://evil.example{}/profile",
        "https:{}/profile",
        "{}/../../evil",
        "{}/%2e%2e/other/",
        "{}/.%2E/other/",
        "{}//evil.example",
        "{}/\r\nSet-Cookie: a=b",
        "{}/\t/evil.example",
        "{}\\..\\other",
        "{}-other/profile",
        " {}/profile",
        "@evil.example{}/",
        "{}",
    ];
    let bare = ["", "/", "profile", "\\\\evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)"];
    let with_base = with_base.iter().map(|next| next.replace("{}", base));
    with_base.chain(bare.map(ToOwned::to_owned)).collect()
}

fn next_of(page: &Answer) -> Option<String> {
    between(&page.body, r#"name="next" value=""#, "\"").map(unescaped)
}

/// As `docs/users.md` says for each mount. A copy of the old credential is what a thief has.
#[tokio::test]
async fn a_login_over_an_old_one_revokes_it_where_one_login_can_be_revoked() {
    let server = TestServer::start().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        let first = client.log_in("alice", DEMO_PASSWORD).await;
        let old = client.credential(&first);
        let renewal = mount.transport.refresh_cookie.and_then(|cookie| first.cookie(cookie));
        let renewal = renewal.and_then(|line| line.split(';').next());
        let phone = server.client(mount).demo_login("alice").await;
        let new = client.demo_login("alice").await;
        assert!(server.accepts(mount, &new).await && server.accepts(mount, &phone).await, "{}", mount.slug);
        let ends = mount.revokes_single && !mount.promise.only_expires();
        assert_eq!(server.accepts(mount, &old).await, !ends, "{}", mount.slug);
        if let Some(renewal) = renewal {
            assert!(!server.accepts(mount, renewal).await, "{}: the old login was renewed", mount.slug);
        }
    }
}
