//! A browser that has logged in to an account before keeps its own allowance, whatever strangers do to the account.

use jwt_vs_session::auth::Description;

use super::client::{answer, between};
use super::lockout::{Browser, limited, pause};
use super::server::{PASSWORD, TestServer};
use crate::common::{TestApp, bare_client};

/// Of a network: wrong passwords from here delay everybody who is not known.
const OFFICE: &str = "192.0.2.1";

const NEW_PASSWORD: &str = "ein-anderes-brot-um-fünf";

/// Makes the server refuse strangers in the office who try this account.
async fn close_the_office(server: &TestServer, user: &str) {
    for number in 0..11 {
        assert_eq!(Browser::at(server, OFFICE).guess(user).await.status, 401, "guess {number}");
    }
    assert_eq!(pause(&Browser::at(server, OFFICE).log_in(user, PASSWORD).await).as_secs(), 30);
}

/// The status of the right password of alice in the office, with this `Cookie` line and nothing else.
async fn with_cookie(app: &TestApp, cookie: &str) -> u16 {
    let form = [("username", "alice"), ("password", PASSWORD)];
    let request = bare_client().post(app.url("/session/login")).form(&form);
    answer(request.header("x-forwarded-for", OFFICE).header("cookie", cookie)).await.status
}

/// The cookie that a login sets, as a `Cookie` line.
async fn cookie_of(browser: &Browser, user: &str) -> String {
    let login = browser.log_in(user, PASSWORD).await;
    let line = login.cookie("known_browser").expect("the cookie");
    line.split(';').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_login_and_a_registration_make_a_browser_known_under_every_mount() {
    let server = limited().await;
    for mount in server.mounts() {
        let client = server.client(mount);
        let login = client.log_in("alice", PASSWORD).await;
        let line = login.cookie("known_browser").expect("the cookie");
        assert!(line.ends_with("; HttpOnly; SameSite=Lax; Path=/; Max-Age=15552000"), "{line}");
        let register = [("username", mount.slug), ("password", PASSWORD)];
        let newcomer = server.client(mount).post("/register", &register).await;
        assert!(newcomer.cookie("known_browser").is_some(), "{}", mount.slug);
        let wrong = client.log_in("alice", "a wrong password").await;
        assert!(wrong.cookie("known_browser").is_none() && client.me().await.status == 200);
        assert_json(&server, mount).await;
    }
}

/// A program that keeps its token itself gets no cookie.
async fn assert_json(server: &TestServer, mount: &Description) {
    let body = serde_json::json!({ "username": "alice", "password": PASSWORD });
    let reply = answer(server.client(mount).post_request("/api/login").json(&body)).await;
    assert_eq!((reply.status, reply.cookie("known_browser").is_some()), (200, !mount.transport.bearer));
}

#[tokio::test]
async fn a_known_browser_logs_in_while_strangers_are_refused() {
    let server = limited().await;
    let [first, second] = server.title_pair() else { panic!("two mounts") };
    let elsewhere = server.client(first);
    elsewhere.log_in("alice", PASSWORD).await;
    close_the_office(&server, "alice").await;
    // The same browser, in the office and under another mount.
    let form = [("username", "alice"), ("password", PASSWORD)];
    let login = elsewhere.under(second).post_request("/login").form(&form).header("x-forwarded-for", OFFICE);
    let login = answer(login).await;
    assert_eq!(login.status, 303, "{}", login.body);
}

#[tokio::test]
async fn a_known_browser_does_not_depend_on_what_its_neighbours_try() {
    let server = limited().await;
    let known = Browser::at(&server, OFFICE);
    assert_eq!(known.log_in("alice", PASSWORD).await.status, 303);
    for number in 0..30 {
        assert_eq!(Browser::at(&server, OFFICE).guess(&format!("user-{number}")).await.status, 401);
    }
    assert_eq!(pause(&Browser::at(&server, OFFICE).log_in("bob", PASSWORD).await).as_secs(), 2);
    assert_eq!(known.log_in("alice", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn a_forged_or_foreign_cookie_makes_nobody_known() {
    let server = limited().await;
    let of_bob = cookie_of(&Browser::at(&server, "192.0.2.9"), "bob").await;
    let of_alice = cookie_of(&Browser::at(&server, "192.0.2.9"), "alice").await;
    let another_server = limited().await;
    let elsewhere = cookie_of(&Browser::at(&another_server, "192.0.2.9"), "alice").await;
    close_the_office(&server, "alice").await;
    let altered = format!("{}AAAA", &of_alice[..of_alice.len() - 4]);
    let empty = "known_browser=".to_owned();
    let made_up = format!("known_browser={}", "A".repeat(64));
    for cookie in [of_bob, elsewhere, altered, empty, made_up] {
        assert_eq!(with_cookie(&server.app, &cookie).await, 429, "{cookie}");
    }
    assert_eq!(with_cookie(&server.app, &of_alice).await, 303);
}

/// A copy of the cookie allows a few guesses, and no login. They delay nobody else.
#[tokio::test]
async fn a_stolen_cookie_is_worth_twenty_guesses() {
    let server = limited().await;
    let owner = Browser::at(&server, "192.0.2.9");
    let cookie = cookie_of(&owner, "alice").await;
    let guess = async |number: usize| {
        let form = [("username", "alice"), ("password", "a wrong password")];
        let request = bare_client().post(server.app.url("/session/login")).form(&form);
        let from = format!("198.51.100.{number}");
        answer(request.header("x-forwarded-for", from).header("cookie", &cookie)).await
    };
    let mut checked = 0;
    for number in 0..30 {
        match guess(number).await {
            reply if reply.status == 401 => checked += 1,
            reply => server.app.clock.advance(pause(&reply)),
        }
    }
    assert_eq!(checked, 21, "its own twenty; then those of a stranger");
    assert_eq!(Browser::at(&server, "192.0.2.77").log_in("alice", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn after_a_password_change_only_the_browser_that_changed_it_is_known() {
    let server = limited().await;
    let (phone, laptop) = (Browser::at(&server, OFFICE), Browser::at(&server, OFFICE));
    for browser in [&phone, &laptop] {
        assert_eq!(browser.log_in("alice", PASSWORD).await.status, 303);
    }
    let fields = [("current_password", PASSWORD), ("new_password", NEW_PASSWORD)];
    let changed = laptop.post("/password", &fields).await;
    assert!(changed.cookie("known_browser").is_some(), "{} {}", changed.status, changed.body);
    for _ in 0..11 {
        assert_eq!(Browser::at(&server, OFFICE).guess("alice").await.status, 401);
    }
    assert_eq!(phone.log_in("alice", NEW_PASSWORD).await.status, 429);
    assert_eq!(laptop.log_in("alice", NEW_PASSWORD).await.status, 303);
}

/// Whoever holds a copy of a login guesses the current password no faster than at the front door.
#[tokio::test]
async fn the_current_password_is_guessed_within_the_same_limits() {
    let server = limited().await;
    let browser = Browser::at(&server, OFFICE);
    assert_eq!(browser.log_in("alice", PASSWORD).await.status, 303);
    let guess = async || browser.post("/password", &[("current_password", "wrong"), ("new_password", PASSWORD)]).await;
    for _ in 0..11 {
        assert_eq!(guess().await.status, 401);
    }
    let refused = guess().await;
    assert_eq!(pause(&refused).as_secs(), 30);
    assert!(between(&refused.body, "Too many wrong passwords for this user name", "Try again in 30 s.").is_some());
}
