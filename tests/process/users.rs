//! The commands that end users, beside running nodes: the nodes read in the database whose logins end.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::program::{Program, command, run, run_with_input};
use crate::common::{DEMO_PASSWORD, bare_client, folder, postgres_database, until};

/// The promise is one second. A busy machine may be late.
const GENEROUS: Duration = Duration::from_secs(10);

/// The login of a user under every mount.
struct Logins {
    user: &'static str,
    cookies: Vec<(Value, String)>,
}

impl Logins {
    async fn of(server: &Program, user: &'static str) -> Self {
        let listed =
            run(command(server.folder.path(), &["strategies", "--format", "json", "--redis-url", "none"])).await;
        let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
        let mut cookies = Vec::new();
        for strategy in listed["strategies"].as_array().expect("rows") {
            let mount = mount(strategy);
            let (status, cookie) = server.log_in(&mount, user, DEMO_PASSWORD).await;
            assert_eq!(status, 303, "{user} logs in under {mount}");
            cookies.push((strategy.clone(), cookie.expect("a cookie")));
        }
        Self { user, cookies }
    }

    /// Waits until the server refuses each login that a revoke ends, and accepts those that only expire.
    async fn assert_ended(&self, server: &Program) {
        let begun = Instant::now();
        for (strategy, cookie) in &self.cookies {
            let mount = mount(strategy);
            if strategy["promise"]["kind"] == "expiry" {
                assert!(server.accepts(&mount, cookie).await, "{mount}: refused before it expires");
            } else {
                until(&format!("{mount} refuses {}", self.user), async || !server.accepts(&mount, cookie).await).await;
            }
        }
        assert!(begun.elapsed() < GENEROUS, "it took {:?}", begun.elapsed());
    }
}

fn mount(strategy: &Value) -> String {
    format!("/{}", strategy["slug"].as_str().expect("a name"))
}

async fn output(server: &Program, options: &[&str]) -> (Option<i32>, String) {
    let output = run(command(server.folder.path(), options)).await;
    (output.status.code(), String::from_utf8(output.stdout).expect("text"))
}

#[tokio::test]
async fn a_command_ends_the_logins_of_a_user_on_a_running_server() {
    // With a Redis of the server's own, which no command can reach.
    let server = Program::start_in(folder(), &[]).await;
    for (action, word) in [("disable", "disabled"), ("delete", "deleted")] {
        let (alice, bob) = (Logins::of(&server, "alice").await, Logins::of(&server, "bob").await);
        let (status, said) = output(&server, &["user", action, "ALICE"]).await;
        assert_eq!(status, Some(0), "{said}");
        assert!(said.starts_with(&format!("{word} alice\nEvery running node revokes the logins within 1s")), "{said}");
        assert!(said.contains("/jwt              accepted until the token expires: for up to 15m\n"), "{said}");
        alice.assert_ended(&server).await;
        assert_eq!(server.log_in("/session", "alice", DEMO_PASSWORD).await.0, 401);
        for (strategy, cookie) in &bob.cookies {
            assert!(server.accepts(&mount(strategy), cookie).await, "bob was not meant: {strategy}");
        }
        if action == "disable" {
            assert_eq!(
                output(&server, &["user", "disable", "alice"]).await.1.lines().next(),
                Some("alice is disabled already")
            );
            assert_eq!(output(&server, &["user", "enable", "alice"]).await, (Some(0), "enabled alice\n".to_owned()));
            assert_eq!(server.log_in("/session", "alice", DEMO_PASSWORD).await.0, 303);
            alice.assert_ended(&server).await;
        }
    }
    for action in ["disable", "enable", "delete"] {
        let none = run(command(server.folder.path(), &["user", action, "alice"])).await;
        assert_eq!(String::from_utf8_lossy(&none.stderr), "error: there is no user of this name\n");
        assert_eq!(none.status.code(), Some(1));
    }
}

#[tokio::test]
async fn every_node_on_one_database_ends_the_logins() {
    let url = postgres_database().await;
    let options = ["--redis-url", "none", "--database-url", &url];
    let (here, there) = (Program::start_in(folder(), &options).await, Program::start_in(folder(), &options).await);
    let mut cookies = Vec::new();
    for server in [&here, &there] {
        for mount in ["/session-memory", "/session-sql", "/jwt-generation"] {
            let cookie = server.log_in(mount, "alice", DEMO_PASSWORD).await.1.expect("a cookie");
            assert!(server.accepts(mount, &cookie).await);
            cookies.push((server, mount, cookie));
        }
    }
    let (status, said) = output(&here, &["user", "disable", "alice", "--database-url", &url]).await;
    assert_eq!(status, Some(0), "{said}");
    for (server, mount, cookie) in cookies {
        until(&format!("{mount} refuses alice"), async || !server.accepts(mount, &cookie).await).await;
    }
}

/// The private Redis is empty at a start. That says nothing about the tokens: they are with the client.
#[tokio::test]
async fn an_empty_redis_lets_nobody_in_who_was_disabled_while_no_node_ran() {
    let server = Program::start_in(folder(), &[]).await;
    let bob = Logins::of(&server, "bob").await;
    let folder = server.stop().await;
    let done = run(command(folder.path(), &["user", "disable", "bob"])).await;
    assert!(done.status.success(), "{done:?}");
    let server = Program::start_in(folder, &[]).await;
    for (strategy, cookie) in bob.cookies.iter().filter(|(strategy, _)| strategy["promise"]["kind"] != "expiry") {
        assert!(!server.accepts(&mount(strategy), cookie).await, "{strategy}");
    }
    bob.assert_ended(&server).await;
}

#[tokio::test]
async fn a_server_that_was_down_ends_the_logins_before_its_first_answer() {
    let server = Program::start(&["--jwt-secret", "a secret of this test, 32 bytes long"]).await;
    let mounts = ["/session-sql", "/jwt-generation"];
    let mut cookies = Vec::new();
    for mount in mounts {
        cookies.push(server.log_in(mount, "alice", DEMO_PASSWORD).await.1.expect("a cookie"));
    }
    let folder = server.stop().await;
    for action in ["disable", "enable"] {
        let done = run(command(folder.path(), &["user", action, "alice"])).await;
        assert!(done.status.success(), "{done:?}");
    }
    let options = ["--redis-url", "none", "--jwt-secret", "a secret of this test, 32 bytes long"];
    let server = Program::start_in(folder, &options).await;
    for (mount, cookie) in mounts.iter().zip(&cookies) {
        assert!(!server.accepts(mount, cookie).await, "{mount}");
    }
    let again = server.log_in("/session-sql", "alice", DEMO_PASSWORD).await.1.expect("a cookie");
    let server = Program::start_in(server.stop().await, &options).await;
    let bob = server.log_in("/session-sql", "bob", DEMO_PASSWORD).await.1.expect("a cookie");
    assert_eq!(output(&server, &["user", "disable", "bob"]).await.0, Some(0));
    until("the node has looked again", async || !server.accepts("/session-sql", &bob).await).await;
    assert!(server.accepts("/session-sql", &again).await, "a later login of an enabled user is not meant");
}

#[tokio::test]
async fn whoever_logged_in_with_the_public_password_is_logged_out_when_it_is_locked() {
    let server = Program::start(&[]).await;
    let carol = server.log_in("/session-sql", "carol", DEMO_PASSWORD).await.1.expect("a cookie");
    let server = Program::start_in(server.stop().await, &["--redis-url", "none", "--no-demo"]).await;
    assert!(!server.accepts("/session-sql", &carol).await);
    // The command cannot see whether others reach the server: it brings no public password back.
    let (status, said) = output(&server, &["reset", "--yes"]).await;
    assert_eq!(status, Some(0), "{said}");
    assert!(said.starts_with("deleted 3 users\nThere are no demo users with these settings"), "{said}");
    assert_eq!(server.log_in("/session-sql", "carol", DEMO_PASSWORD).await.0, 401);
}

#[tokio::test]
async fn reset_brings_the_demo_users_back_and_ends_every_login() {
    let server = Program::start_in(folder(), &[]).await;
    let add = command(server.folder.path(), &["user", "add", "dora"]);
    assert!(run_with_input(add, "käse-und-brot-um-vier").await.status.success());
    let alice = Logins::of(&server, "alice").await;
    let asked = run(command(server.folder.path(), &["reset"])).await;
    assert_eq!(asked.status.code(), Some(2), "{asked:?}");
    assert!(String::from_utf8_lossy(&asked.stderr).starts_with("error: reset deletes every user: give --yes"));
    let before = user_id(&server, &alice.cookies[1]).await;
    let (status, said) = output(&server, &["reset", "--yes"]).await;
    assert_eq!(status, Some(0), "{said}");
    assert!(said.starts_with("deleted 4 users\ndemo users alice, bob, carol with the password "), "{said}");
    alice.assert_ended(&server).await;
    assert_eq!(server.log_in("/session", "dora", "käse-und-brot-um-vier").await.0, 401);
    let cookie = server.log_in("/session", "alice", DEMO_PASSWORD).await.1.expect("a cookie");
    assert_ne!(user_id(&server, &(alice.cookies[1].0.clone(), cookie)).await, before, "another alice");
}

async fn user_id(server: &Program, (strategy, cookie): &(Value, String)) -> Value {
    let request = bare_client().get(server.url(&format!("{}/api/me", mount(strategy)))).header("cookie", cookie);
    let body: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    assert!(body["user_id"].is_string(), "{body}");
    body["user_id"].clone()
}

#[tokio::test]
async fn enabling_a_user_forgets_the_failed_tries() {
    let server = Program::start(&["--login-rate", "300/m"]).await;
    let right = async || server.log_in("/session", "alice", DEMO_PASSWORD).await.0;
    for _ in 0..11 {
        assert_eq!(server.log_in("/session", "alice", "wrong").await.0, 401);
    }
    assert_eq!(right().await, 429);
    assert_eq!(output(&server, &["user", "enable", "alice"]).await.0, Some(0));
    assert_eq!(right().await, 303);
}
