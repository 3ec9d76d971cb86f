//! What single pages show: the login form, the panel, the notices, the errors, the reference; and what no page runs.

use super::chromium::Chromium;
use super::pictures::look_closely;
use crate::common::{DEMO_PASSWORD, RedisServer, TestApp, client, until};

#[tokio::test]
async fn after_a_login_the_browser_lands_where_it_wanted_to_go_and_the_panel_shows_the_post_before() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    for (mount, step) in [("/jwt", "token signed with HS256"), ("/session", "Redis script: SET NX")] {
        tab.open(&app.url(&format!("{mount}/devices"))).await;
        assert_eq!(tab.path().await, format!("{mount}/login?next=%2F{}%2Fdevices", &mount[1..]));
        tab.log_in("bob", DEMO_PASSWORD).await;
        assert_eq!(tab.path().await, format!("{mount}/devices"));

        let before = tab.text_of("section[aria-labelledby=previous-heading]").await.expect("the request before");
        for words in [&format!("POST {mount}/login"), "a new login for bob", step, "HttpOnly", "SameSite=Lax"] {
            assert!(before.contains(words), "{mount}: the POST does not show {words}:\n{before}");
        }
        let this = tab.text_of("section[aria-labelledby=trace-heading]").await.expect("this request");
        assert!(this.contains(&format!("GET {mount}/devices")) && this.contains("logged in as bob"), "{this}");

        tab.open(&app.url(&format!("{mount}/devices"))).await;
        assert_eq!(tab.text_of("section[aria-labelledby=previous-heading]").await, None, "the POST is shown once");
    }
    tab.is_quiet_but_for(&[]).await;
}

/// By the keyboard, and in a browser without scripts.
#[tokio::test]
async fn from_a_page_of_a_mount_the_same_page_of_another_is_two_keys_away() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    tab.without_scripts().await;
    tab.open(&app.url("/jwt/register")).await;
    let closed = "document.querySelector('.elsewhere details').open";
    assert_eq!(tab.js::<bool>(closed).await, Some(false));
    let focus = |what: &str| format!("(e => {{ e.focus(); return document.activeElement === e }})({what})");
    let summary = focus("document.querySelector('.elsewhere summary')");
    assert_eq!(tab.js::<bool>(&summary).await, Some(true));
    tab.page.find_element("summary").await.expect("it is there").press_key("Enter").await.expect("a key");
    until("the list is open", async || tab.js(closed).await == Some(true)).await;
    look_closely(&tab, "elsewhere").await;
    tab.press("Session in the SQL database").await;
    assert_eq!(tab.path().await, "/session-sql/register");
    tab.press("Revocation lab").await;
    assert_eq!(tab.path().await, "/labs/revocation");
    tab.is_quiet_but_for(&[]).await;
}

#[tokio::test]
async fn a_wrong_password_is_told_and_the_name_stays() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    for mount in ["/jwt", "/session"] {
        tab.open(&app.url(&format!("{mount}/login?next={mount}/devices"))).await;
        tab.log_in("alice", "two-doors-no-key").await;
        assert_eq!(tab.status().await, 401);
        let alert = tab.text_of("[role=alert]").await.expect("an alert");
        assert!(alert.contains("The user name or the password is wrong."), "{alert}");
        tab.sees("refused: unknown user or wrong password").await;
        assert_eq!(tab.js::<String>("document.getElementById('username').value").await.as_deref(), Some("alice"));
        tab.fill("Password", DEMO_PASSWORD).await;
        tab.press("Log in").await;
        assert_eq!(tab.path().await, format!("{mount}/devices"), "and the way goes on");
    }
    tab.is_quiet_but_for(&["status of 401"]).await;
}

#[tokio::test]
async fn another_device_is_ended_from_the_list() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let program = client();
    let json = serde_json::json!({ "username": "alice", "password": DEMO_PASSWORD });
    let request = program.post(app.url("/session/api/login")).header("user-agent", "teapot/1").json(&json);
    assert_eq!(request.send().await.expect("an answer").status(), 200);

    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    tab.open(&app.url("/session/login?next=/session/devices")).await;
    tab.log_in("alice", DEMO_PASSWORD).await;
    tab.sees("2 logins of alice").await;
    tab.press("Revoke this login: teapot, 127.0.0.1").await;
    assert_eq!(tab.path().await, "/session/devices");
    tab.sees("1 login of alice").await;
    let answer = program.get(app.url("/session/api/me")).send().await.expect("an answer");
    assert_eq!(answer.status(), 401, "the other device is out");
    tab.is_quiet_but_for(&[]).await;
}

#[tokio::test]
async fn with_redis_gone_session_says_so_keeps_the_cookie_and_jwt_goes_on() {
    let mut redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    for mount in ["/jwt", "/session"] {
        tab.open(&app.url(&format!("{mount}/login"))).await;
        tab.log_in("alice", DEMO_PASSWORD).await;
    }
    let kept = tab.cookie("id").await.expect("a login").value;
    redis.kill();

    tab.open(&app.url("/session/profile")).await;
    assert_eq!(tab.status().await, 503);
    tab.sees("Redis does not answer, so the server cannot complete this request. Your cookie stays as it is.").await;
    tab.sees("unavailable: a store does not answer").await;
    assert_eq!(tab.text_of("nav").await.as_deref(), Some("Login state unknown"));
    assert_eq!(tab.cookie("id").await.map(|cookie| cookie.value), Some(kept));
    tab.shot("unavailable").await;

    tab.open(&app.url("/jwt/profile")).await;
    assert_eq!(tab.path().await, "/jwt/profile");
    tab.open(&app.url("/")).await;
    tab.sees("Redis does not answer.").await;
    tab.is_quiet_but_for(&["status of 503"]).await;
}

#[tokio::test]
async fn without_redis_every_page_of_session_says_where_the_logins_are() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    tab.open(&app.url("/session/login")).await;
    tab.log_in("alice", DEMO_PASSWORD).await;
    tab.open(&app.url("/")).await;
    tab.sees("There is no Redis here").await;
    for path in ["/", "/login", "/register", "/profile", "/devices", "/password", "/nowhere"] {
        tab.open(&app.url(&format!("/session{path}"))).await;
        let notice = tab.text_of("[role=note]").await.unwrap_or_default();
        assert!(notice.contains("There is no Redis here"), "/session{path} says {notice:?}");
        tab.open(&app.url(&format!("/jwt{path}"))).await;
        assert_eq!(tab.text_of("[role=note]").await, None, "/jwt{path} needs no Redis");
    }
    tab.is_quiet_but_for(&["status of 404"]).await;
}

#[tokio::test]
async fn an_address_without_a_page_has_a_page_and_the_docs_need_no_script() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    for (path, back) in [("/nowhere", "/"), ("/jwt/nowhere", "/jwt/"), ("/session/nowhere", "/session/")] {
        tab.open(&app.url(path)).await;
        assert_eq!(tab.status().await, 404);
        tab.sees("There is nothing at this address.").await;
        tab.press("Back to the start").await;
        assert_eq!(tab.path().await, back);
    }
    tab.open(&app.url("/docs")).await;
    for words in ["POST /login", "GET /me", "POST /logout-everywhere", "/session/api", "access_token", "Log in"] {
        tab.sees(words).await;
    }
    assert_eq!(tab.js::<usize>("document.scripts.length").await, Some(0));
    tab.is_quiet_but_for(&["status of 404"]).await;
}

#[tokio::test]
async fn an_inline_script_or_style_does_not_run_on_any_page() {
    let app = TestApp::start(&[]).await;
    let chromium = Chromium::start().await;
    let mut tab = chromium.tab().await;
    let inject = "(() => {
        const script = document.createElement('script');
        script.textContent = 'window.stolen = true';
        document.body.append(script);
        document.body.insertAdjacentHTML('beforeend', '<p id=hole style=\"position: fixed\" onclick=\"0\"></p>');
        return [window.stolen ?? false, getComputedStyle(document.getElementById('hole')).position];
    })()";
    for path in ["/", "/docs", "/nowhere", "/jwt/", "/jwt/login", "/session/register", "/session/nowhere"] {
        tab.open(&app.url(path)).await;
        let done: Option<(bool, String)> = tab.js(inject).await;
        assert_eq!(done, Some((false, "static".to_owned())), "{path}");
        let complaints = tab.complaints().await;
        for what in ["inline script", "inline style", "inline event handler"] {
            assert!(complaints.iter().any(|words| words.contains(what)), "{path}: {what} in {complaints:#?}");
        }
    }
}
