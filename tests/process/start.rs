//! A start that works: the first line, the demo users, and a machine without Redis.

use super::program::{Program, command, private_redis, run};
use crate::common::wire::Wire;
use crate::common::{DEMO_PASSWORD, folder, program};

#[tokio::test]
async fn the_first_line_names_the_address_which_answers_at_once() {
    let server = Program::start(&[]).await;
    let mut wire = Wire::open(server.address).await;
    assert_eq!(wire.get("/healthz", "").await.status, 200);
    assert_eq!(wire.get("/readyz", "").await.status, 200);
}

#[tokio::test]
async fn the_second_line_names_the_demo_users_and_no_line_follows() {
    let mut server = Program::start(&[]).await;
    let line = server.lines.next_line().await.expect("text").expect("a line");
    assert_eq!(line, format!("demo users alice, bob, carol with the password {DEMO_PASSWORD}"));
    assert_eq!(server.log_in("/jwt", "alice", DEMO_PASSWORD).await.0, 303);
    server.signal("-TERM");
    assert_eq!(server.lines.next_line().await.expect("text"), None, "logs go to standard error");
}

/// Where strangers can reach the server, the password is random, shown on the terminal only, and new at every start.
#[tokio::test]
async fn with_a_public_address_the_demo_password_is_only_printed() {
    let mut folder = folder();
    let mut before = DEMO_PASSWORD.to_owned();
    for _ in 0..2 {
        let options = ["--redis-url", "none", "--public-url", "http://login.example", "--demo"];
        let mut server = Program::start_in(folder, &options).await;
        let line = server.lines.next_line().await.expect("text").expect("a line");
        let password = line.strip_prefix("demo users alice, bob, carol with the password ").expect("the password");
        assert!(password.len() >= 22 && password != before, "{line}");
        assert_eq!(server.log_in("/jwt", "alice", password).await.0, 303);
        assert_eq!(server.log_in("/jwt", "alice", &before).await.0, 401);
        for page in ["/", "/jwt/login"] {
            assert!(!server.page(page).await.contains(password));
        }
        assert!(!server.log().contains(password), "a log is kept");
        password.clone_into(&mut before);
        folder = server.stop().await;
    }
}

#[tokio::test]
async fn without_redis_on_the_machine_sessions_are_in_memory_and_every_page_says_so() {
    let empty = tempfile::tempdir().expect("a folder");
    let folder = folder();
    let server = Program::start_as(folder, &[], Some(empty.path())).await;
    let (status, cookie) = server.log_in("/session", "alice", DEMO_PASSWORD).await;
    let cookie = cookie.expect("a credential");
    assert_eq!(status, 303);
    for page in ["/", "/login", "/register", "/profile", "/devices", "/password", "/nowhere"] {
        let reply = Wire::open(server.address).await.get(&format!("/session{page}"), &cookie).await;
        assert!(reply.body.contains("There is no Redis here: these sessions are in this process"), "{page}");
    }
    assert!(!server.page("/session-memory/").await.contains("There is no Redis here"));
    assert!(server.log().contains("redis-server is not on PATH"), "{}", server.log());
    let mut strategies = command(server.folder.path(), &["strategies", "--format", "json"]);
    strategies.env("PATH", empty.path());
    let output = run(strategies).await;
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let row = |slug: &str| rows["strategies"].as_array().expect("rows").iter().find(|row| row["slug"] == slug).cloned();
    let session = row("session").expect("the session of the title");
    assert!(
        session["notice"].as_str().expect("a notice").contains("no Redis") && session["ready"] == true,
        "{session}"
    );
    for row in rows["strategies"].as_array().expect("rows").iter().filter(|row| row["backend"] == "redis") {
        assert!(row["ready"] == false && row["why_not"].is_string(), "{row}");
    }
}

#[tokio::test]
async fn with_redis_on_path_sessions_are_in_a_private_one() {
    program("redis-server", &[], "apt-get install redis-server");
    let server = Program::start_in(folder(), &[]).await;
    assert!(private_redis(server.id()).is_some());
    assert!(server.page("/").await.contains("a private redis-server on a Unix socket"));
    assert!(!server.page("/session/").await.contains("There is no Redis here"));
    let (_, cookie) = server.log_in("/session", "alice", DEMO_PASSWORD).await;
    assert!(server.accepts("/session", &cookie.expect("a credential")).await);
    server.stop().await;
}
