//! The security log: each event is written when its action happens, and no line holds what a client kept secret.

use std::process::Stdio;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

use super::program::{Program, command, run};
use crate::common::{DEMO_PASSWORD, RedisServer, client, cookie_of, folder, until};

/// The examples of the docs: whoever reads them knows the fields.
const DOCS: &str = include_str!("../../docs/security-log.md");

/// A name that is a password, typed into the wrong field.
const TYPED_NAME: &str = "my-secret-as-a-name";

const WRONG_PASSWORD: &str = "my-wrong-password-77";

const NEW_PASSWORD: &str = "käse-und-brot-um-vier";

/// The events in a log.
fn events_in(log: &str) -> Vec<Value> {
    let lines = log.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Waits for the event with this name that has these values.
async fn event(server: &Program, name: &str, values: &[(&str, &str)]) -> Value {
    let mut found = None;
    until(&format!("{name} {values:?} is logged: {}", server.log()), async || {
        let has = |event: &Value| values.iter().all(|(field, value)| event[field] == *value);
        found = events_in(&server.log()).into_iter().find(|event| event["event"] == name && has(event));
        found.is_some()
    })
    .await;
    let found = found.expect("an event");
    assert_eq!(fields(&found), fields(&example(name)), "the fields of the docs: {found}");
    found
}

fn fields(event: &Value) -> Vec<&String> {
    // Present only in some lines, as the docs say.
    let optional = ["user_id", "login_id", "mount", "revoked_login_id", "request_id", "client_address"];
    event.as_object().expect("an object").keys().filter(|field| !optional.contains(&field.as_str())).collect()
}

fn example(name: &str) -> Value {
    let found = events_in(DOCS).into_iter().find(|event| event["event"] == name);
    found.unwrap_or_else(|| panic!("the docs show no {name}"))
}

/// A browser at one mount that remembers its secrets.
struct Visitor<'a> {
    server: &'a Program,
    mount: &'a str,
    client: Client,
    secrets: Vec<String>,
}

impl<'a> Visitor<'a> {
    fn new(server: &'a Program, mount: &'a str) -> Self {
        Self { server, mount, client: client(), secrets: Vec::new() }
    }

    fn post_request(&self, path: &str) -> RequestBuilder {
        self.client.post(self.server.url(&format!("{}{path}", self.mount)))
    }

    /// Returns the status and `X-Request-Id`.
    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> (u16, String) {
        let reply = self.post_request(path).form(form).send().await.expect("an answer");
        self.remember(&reply);
        (reply.status().as_u16(), reply.headers()["x-request-id"].to_str().expect("text").to_owned())
    }

    async fn log_in(&mut self, user: &str, password: &str) -> (u16, String) {
        self.post("/login", &[("username", user), ("password", password)]).await
    }

    async fn login_id(&self) -> String {
        let reply =
            self.client.get(self.server.url(&format!("{}/api/me", self.mount))).send().await.expect("an answer");
        let me: Value = reply.json().await.expect("JSON");
        me["login_id"].as_str().expect("a login").to_owned()
    }

    /// Keeps the value of each cookie.
    fn remember(&mut self, reply: &Response) {
        let lines = reply.headers().get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
        let values =
            lines.filter_map(|line| line.split(';').next()?.split_once('=').map(|(_, value)| value.to_owned()));
        self.secrets.extend(values.filter(|value| value.len() > 7));
    }
}

fn assert_nothing_secret(server: &Program, secrets: &[String]) {
    let log = server.log();
    let constant = [TYPED_NAME, WRONG_PASSWORD, NEW_PASSWORD, DEMO_PASSWORD];
    let all: Vec<&str> = secrets.iter().map(String::as_str).chain(constant).collect();
    assert!(secrets.len() > 2, "the test saw no credentials: {secrets:?}");
    for secret in all {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn logins_and_revocations_are_logged_and_no_credential_is() {
    let server = Program::start(&["--node", "node-of-the-test"]).await;
    for mount in ["/jwt", "/jwt-refresh", "/session", "/session-sql"] {
        let (mut here, mut there) = (Visitor::new(&server, mount), Visitor::new(&server, mount));
        let (status, id) = here.log_in(TYPED_NAME, WRONG_PASSWORD).await;
        assert_eq!(status, 401);
        let unknown = event(&server, "login_refused", &[("mount", mount), ("reason", "unknown_user")]).await;
        assert_eq!((&unknown["request_id"], &unknown["user_id"]), (&Value::from(id), &Value::Null));
        assert_eq!(here.log_in("alice", WRONG_PASSWORD).await.0, 401);
        let wrong = event(&server, "login_refused", &[("mount", mount), ("reason", "wrong_password")]).await;
        let (status, id) = here.log_in("alice", DEMO_PASSWORD).await;
        assert_eq!((status, there.log_in("alice", DEMO_PASSWORD).await.0), (303, 303));
        let login = here.login_id().await;
        let accepted = event(&server, "login_accepted", &[("mount", mount), ("login_id", &login)]).await;
        assert_eq!(accepted["user_id"], wrong["user_id"]);
        assert_eq!(accepted["node"], "node-of-the-test");
        assert_eq!(accepted["client_address"], "127.0.0.1");
        assert_eq!(accepted["request_id"], id);
        let other = there.login_id().await;
        if here.post(&format!("/devices/{other}/revoke"), &[]).await.0 == 303 {
            let revoked = event(&server, "login_revoked", &[("login_id", &login), ("cause", "device_list")]).await;
            assert_eq!((&revoked["reach"], &revoked["revoked_login_id"]), (&"other".into(), &Value::from(other)));
        }
        assert_eq!(here.post("/logout", &[]).await.0, 303);
        event(&server, "logout", &[("login_id", &login), ("reach", "this")]).await;
        event(&server, "login_revoked", &[("login_id", &login), ("cause", "logout"), ("reach", "this")]).await;
        assert_eq!(here.log_in("alice", DEMO_PASSWORD).await.0, 303);
        let login = here.login_id().await;
        assert_eq!(here.post("/logout-everywhere", &[]).await.0, 303);
        event(&server, "login_revoked", &[("login_id", &login), ("cause", "logout"), ("reach", "everywhere")]).await;
        assert_nothing_secret(&server, &[here.secrets, there.secrets].concat());
    }
}

#[tokio::test]
async fn registrations_and_password_changes_are_logged_with_every_revocation() {
    let server = Program::start(&[]).await;
    let mut visitor = Visitor::new(&server, "/session");
    assert_eq!(visitor.post("/register", &[("username", "erin"), ("password", DEMO_PASSWORD)]).await.0, 303);
    let registered = event(&server, "registered", &[]).await;
    let user = registered["user_id"].as_str().expect("a user").to_owned();
    let login = visitor.login_id().await;
    event(&server, "login_accepted", &[("user_id", &user), ("login_id", &login)]).await;
    for (current, new, reason) in
        [(WRONG_PASSWORD, NEW_PASSWORD, "wrong_current_password"), (DEMO_PASSWORD, "12345678", "new_password_rejected")]
    {
        visitor.post("/password", &[("current_password", current), ("new_password", new)]).await;
        event(&server, "password_change_refused", &[("login_id", &login), ("reason", reason)]).await;
    }
    visitor.post("/password", &[("current_password", DEMO_PASSWORD), ("new_password", NEW_PASSWORD)]).await;
    event(&server, "password_changed", &[("login_id", &login)]).await;
    for mount in ["/jwt", "/jwt-blocklist", "/session", "/session-memory", "/session-sql"] {
        let values = [("mount", mount), ("login_id", &login), ("cause", "password_change"), ("reach", "everywhere")];
        let name = if mount == "/jwt-blocklist" { "revocation_unconfirmed" } else { "login_revoked" };
        event(&server, name, &values).await;
    }
    event(&server, "login_accepted", &[("user_id", &user), ("login_id", &visitor.login_id().await)]).await;
    assert_nothing_secret(&server, &visitor.secrets);
}

/// Without a request that did it. A node that starts writes a line where a login may have outlived the start.
#[tokio::test]
async fn every_revocation_by_a_command_is_logged_for_its_user_and_mount() {
    let server = Program::start(&["--node", "node-of-the-test"]).await;
    for (arguments, name, cause) in [
        (&["user", "disable", "bob"][..], "bob", "user_disabled"),
        (&["user", "delete", "alice"], "alice", "user_deleted"),
        (&["reset", "--yes"], "carol", "reset"),
    ] {
        let user = user_id(&server, name).await;
        let done = run(command(server.folder.path(), arguments)).await;
        assert!(done.status.success(), "{done:?}");
        for mount in ["/jwt", "/session", "/session-sql", "/jwt-generation"] {
            let revoked = assert_revoked_once(&server, &user, mount, cause).await;
            assert_eq!(revoked["refused_within_ms"].as_u64().is_some_and(|within| within > 0), mount == "/jwt");
        }
    }
    let user = user_id(&server, "bob").await;
    let folder = server.stop().await;
    assert!(run(command(folder.path(), &["user", "disable", "bob"])).await.status.success());
    let server = Program::start_in(folder, &["--node", "node-of-the-test", "--redis-url", "none"]).await;
    for mount in ["/session-sql", "/jwt-generation"] {
        assert_revoked_once(&server, &user, mount, "user_disabled").await;
    }
    assert!(!server.log().contains("session-memory"), "the process began without a login: {}", server.log());
}

async fn user_id(server: &Program, name: &str) -> String {
    let mut visitor = Visitor::new(server, "/session-sql");
    assert_eq!(visitor.log_in(name, DEMO_PASSWORD).await.0, 303);
    let me = visitor.client.get(server.url("/session-sql/api/me")).send().await.expect("an answer");
    me.json::<Value>().await.expect("JSON")["user_id"].as_str().expect("a user").to_owned()
}

async fn assert_revoked_once(server: &Program, user: &str, mount: &str, cause: &str) -> Value {
    let values = [("user_id", user), ("mount", mount), ("cause", cause), ("reach", "everywhere")];
    let revoked = event(server, "login_revoked", &values).await;
    assert_eq!((&revoked["request_id"], &revoked["login_id"]), (&Value::Null, &Value::Null), "{revoked}");
    assert_eq!(revoked["node"], "node-of-the-test");
    let has = |event: &Value| values.iter().all(|(field, value)| event[field] == *value);
    let log = server.log();
    assert_eq!(events_in(&log).iter().filter(|event| has(event)).count(), 1, "{mount}: {log}");
    revoked
}

#[tokio::test]
async fn a_copied_refresh_token_raises_the_alarm_with_user_login_and_address() {
    let server = Program::start(&["--short-ttl", "100ms"]).await;
    let visitor = Visitor::new(&server, "/jwt-refresh");
    let body = serde_json::json!({ "username": "alice", "password": DEMO_PASSWORD });
    let grant: Value =
        visitor.post_request("/api/login").json(&body).send().await.expect("an answer").json().await.expect("JSON");
    let accepted = event(&server, "login_accepted", &[]).await;
    let token = serde_json::json!({ "refresh_token": grant["refresh_token"] });
    let renew = async |agent: &str| {
        let request = visitor.post_request("/api/refresh").header("user-agent", agent).json(&token);
        request.send().await.expect("an answer").status()
    };
    assert_eq!(renew("Owner/1").await, 200);
    assert_eq!(renew("Owner/1").await, 200, "two requests of one client may cross");
    assert_eq!(renew("Thief/1").await, 401);
    let reused = event(&server, "refresh_reused", &[]).await;
    assert_eq!((&reused["user_id"], &reused["login_id"]), (&accepted["user_id"], &accepted["login_id"]));
    assert_eq!(reused["client_address"], "127.0.0.1");
    event(&server, "login_revoked", &[("cause", "refresh_reuse"), ("reach", "this")]).await;
    let text = |field: &str| grant[field].as_str().expect("a token").to_owned();
    assert_nothing_secret(&server, &[text("access_token"), text("refresh_token"), grant["access_token"].to_string()]);
}

#[tokio::test]
async fn refusals_and_labs_are_logged_and_a_flood_is_counted() {
    let server = Program::start(&["--login-rate", "1/h"]).await;
    let visitor = Visitor::new(&server, "/session");
    let login = || visitor.post_request("/login").form(&[("username", TYPED_NAME), ("password", WRONG_PASSWORD)]);
    let foreign = || login().header("origin", "https://evil.example").header("sec-fetch-site", "cross-site");
    for _ in 0..100 {
        assert_eq!(foreign().send().await.expect("an answer").status(), 403);
    }
    let refused = event(&server, "cross_site_refused", &[("path", "/session/login")]).await;
    assert_eq!((&refused["origin"], &refused["mount"]), (&"https://evil.example".into(), &"/session".into()));
    let left_out = async || -> Option<u64> {
        let events = events_in(&server.log());
        let written = events.iter().filter(|event| event["event"] == "cross_site_refused").count();
        let counts = events.iter().filter(|event| event["left_out"] == "cross_site_refused");
        let counted: u64 = counts.filter_map(|event| event["count"].as_u64()).sum();
        Some(counted + written as u64)
    };
    until("each of the hundred is written or counted", async || left_out().await == Some(100)).await;
    event(&server, "events_left_out", &[]).await;
    for status in [401, 429] {
        assert_eq!(login().send().await.expect("an answer").status(), status);
    }
    event(&server, "rate_limited", &[("path", "/session/login")]).await;
    let lab = visitor.client.post(server.url("/labs/revocation/api/runs")).form(&[("strategy", "jwt")]);
    assert_eq!(lab.send().await.expect("an answer").status(), 201);
    let started = event(&server, "lab_started", &[("lab", "revocation")]).await;
    assert_eq!(started["strategies"], serde_json::json!(["jwt"]));
    assert!(!server.log().contains(TYPED_NAME), "{}", server.log());
}

#[tokio::test]
async fn a_user_who_tries_what_only_a_presenter_may_do_is_logged() {
    let server = Program::start(&[]).await;
    let mut bob = Visitor::new(&server, "/session-sql");
    assert_eq!(bob.log_in("bob", DEMO_PASSWORD).await.0, 303);
    let accepted = event(&server, "login_accepted", &[]).await;
    let reply = bob.client.get(server.url("/session-sql/users")).send().await.expect("an answer");
    assert_eq!(reply.status(), 403);
    let refused = event(&server, "login_refused", &[("reason", "no_presenter")]).await;
    assert_eq!(refused["request_id"], reply.headers()["x-request-id"].to_str().expect("text"));
    assert_eq!((&refused["user_id"], &refused["login_id"]), (&accepted["user_id"], &accepted["login_id"]));
}

#[tokio::test]
async fn rust_log_does_not_silence_it_and_a_fault_of_ours_names_its_request() {
    for (filter, ordinary) in [("off", false), ("error", true)] {
        let (place, mut redis) = (folder(), RedisServer::start().await);
        let log = std::fs::File::create(place.path().join("log")).expect("a file");
        let mut command = command(place.path(), &["--listen", "127.0.0.1:0", "--redis-url", &redis.url()]);
        let server = Program::start_command(place, command.env("RUST_LOG", filter).stderr(log)).await;
        let mut visitor = Visitor::new(&server, "/jwt");
        assert_eq!(visitor.log_in("alice", DEMO_PASSWORD).await.0, 303);
        event(&server, "login_accepted", &[]).await;
        redis.kill();
        let form = [("username", "alice"), ("password", DEMO_PASSWORD)];
        let fault = visitor.client.post(server.url("/session/login")).form(&form);
        let fault = fault.header("x-request-id", "chosen").send().await.expect("an answer");
        assert_eq!(fault.status(), 503);
        let id = fault.headers()["x-request-id"].to_str().expect("text").to_owned();
        assert_eq!(id.len(), 16, "{id}");
        assert_eq!(server.log().contains(&format!("request{{id={id}}}")), ordinary, "{}", server.log());
        // The log names the first request of an outage only.
        assert!(!fault.text().await.expect("a page").contains(&id), "the page sends nobody to the log");
    }
}

#[tokio::test]
async fn nobody_waits_for_a_standard_error_that_nobody_reads_or_that_is_closed() {
    for closed in [false, true] {
        let place = folder();
        let mut command = command(place.path(), &["--listen", "127.0.0.1:0", "--redis-url", "none"]);
        let mut server = Program::start_command(place, command.stderr(Stdio::piped())).await;
        let unread = server.child.stderr.take().filter(|_| !closed);
        let form = [("username", "alice"), ("password", DEMO_PASSWORD)];
        let reply = client().post(server.url("/jwt/login")).form(&form).send().await.expect("an answer");
        let cookie = cookie_of(&reply, "access_token_cookie").expect("a credential");
        // More lines than a pipe holds.
        let (visitor, client) = (Visitor::new(&server, "/jwt"), client());
        for _ in 0..300 {
            let request = client.post(server.url("/jwt/logout")).header("cookie", &cookie);
            assert_eq!(request.send().await.expect("an answer").status(), 303);
        }
        let reply = visitor.post_request("/login").form(&form).send().await.expect("an answer");
        assert_eq!(reply.status(), 303, "closed: {closed}");
        drop(unread);
    }
}
