//! The count of failed tries: in the database, the same for names without a user, and never passed over.

use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, Statement};
use serde_json::json;

use super::client::{Answer, answer};
use super::lockout::{Browser, LIMITED, limited, pause};
use super::server::{PASSWORD, TestServer};
use crate::common::{DEMO_PASSWORD, TestApp, bare_client, postgres_database, until};

const OFFICE: &str = "192.0.2.1";

async fn open(server: &TestServer) -> DatabaseConnection {
    let url = format!("sqlite://{}/test.db", server.app.folder.path().display());
    Database::connect(url).await.expect("the same file")
}

async fn rows(database: &DatabaseConnection) -> i64 {
    let count = Statement::from_string(database.get_database_backend(), "SELECT count(*) FROM login_failures");
    let row = database.query_one_raw(count).await.expect("a table").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

async fn post(app: &TestApp, from: &str, user: &str, password: &str) -> Answer {
    let form = [("username", user), ("password", password)];
    answer(bare_client().post(app.url("/session/login")).form(&form).header("x-forwarded-for", from)).await
}

#[tokio::test]
async fn a_restart_and_a_second_node_keep_the_count() {
    for postgres in [false, true] {
        let folder = crate::common::folder();
        let file = format!("sqlite://{}/shared.db?mode=rwc", folder.path().display());
        let url = if postgres { postgres_database().await } else { file };
        let shared = [&LIMITED[..], &["--database-url", &url, "--jwt-secret", "0123456789abcdef0123456789abcdef"]];
        let first = TestApp::start_with_clock(&shared.concat()).await;
        let second = TestApp::start_with_clock(&shared.concat()).await;
        let form = [("username", "alice"), ("password", PASSWORD)];
        let register = bare_client().post(first.url("/session/register")).form(&form);
        assert_eq!(answer(register).await.status, 303);
        for number in 0..11 {
            let node = if number % 2 == 0 { &first } else { &second };
            assert_eq!(post(node, OFFICE, "alice", "wrong").await.status, 401, "guess {number}");
        }
        for node in [first, second] {
            assert_eq!(post(&node, OFFICE, "alice", PASSWORD).await.status, 429);
            node.stop().await;
        }
        let restarted = TestApp::start_with_clock(&shared.concat()).await;
        assert_eq!(post(&restarted, OFFICE, "alice", PASSWORD).await.status, 429);
        restarted.clock.advance(std::time::Duration::from_secs(30));
        assert_eq!(post(&restarted, OFFICE, "alice", PASSWORD).await.status, 303);
        assert_eq!(post(&restarted, OFFICE, "alice", "wrong").await.status, 401, "the count began again");
        restarted.stop().await;
    }
}

/// Statuses, pauses, sentences and steps.
#[tokio::test]
async fn a_name_without_a_user_is_counted_like_any_other() {
    let server = limited().await;
    let mut answers = Vec::new();
    for user in ["alice", "nobody-of-this-name"] {
        let mut seen = Vec::new();
        for number in 0..45 {
            let reply = Browser::fresh(&server, number % 3).guess(user).await;
            if reply.status == 429 {
                server.app.clock.advance(pause(&reply));
            }
            let retry = reply.header("retry-after").map(ToOwned::to_owned);
            seen.push((reply.status, retry, reply.steps(), reply.body.replace(user, "USER")));
        }
        answers.push(seen);
    }
    for (number, (known, unknown)) in answers[0].iter().zip(&answers[1]).enumerate() {
        let comparable = |(status, retry, steps, body): &(u16, Option<String>, Vec<String>, String)| {
            (*status, retry.clone(), steps.clone(), body.contains("Too many wrong passwords for this user name"))
        };
        assert_eq!(comparable(known), comparable(unknown), "guess {number}");
    }
    assert!(answers[0].iter().any(|seen| seen.0 == 429) && answers[0].iter().any(|seen| seen.0 == 401));
}

/// Names are compared after folding, so a limit cannot be walked around by another spelling.
#[tokio::test]
async fn every_spelling_of_a_name_is_one_account() {
    let server = limited().await;
    let spellings = ["alice", "ALICE", " Alice ", "ａｌｉｃｅ"];
    for number in 0..11 {
        assert_eq!(Browser::at(&server, OFFICE).guess(spellings[number % 4]).await.status, 401);
    }
    for spelling in spellings {
        assert_eq!(Browser::at(&server, OFFICE).log_in(spelling, PASSWORD).await.status, 429, "{spelling}");
    }
}

#[tokio::test]
async fn programs_read_the_refusal_as_problem_json() {
    let server = limited().await;
    for _ in 0..11 {
        Browser::at(&server, OFFICE).guess("alice").await;
    }
    for mount in server.title_pair() {
        let body = json!({ "username": "alice", "password": PASSWORD });
        let request = server.client(mount).post_request("/api/login").json(&body);
        let reply = answer(request.header("x-forwarded-for", OFFICE)).await;
        assert_eq!(pause(&reply).as_secs(), 30);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        let sentence = "Too many wrong passwords for this user name; wait before the next try.";
        assert_eq!(reply.json()["detail"], sentence);
    }
}

/// The server reads the users and cannot count. It checks no password: not the wrong one, and not the right one.
#[tokio::test]
async fn a_try_that_cannot_be_counted_is_unavailable() {
    let server = limited().await;
    let other = open(&server).await;
    other.execute_unprepared("BEGIN IMMEDIATE").await.expect("the lock");
    for password in ["wrong", PASSWORD] {
        let refused = Browser::at(&server, OFFICE).log_in("alice", password).await;
        assert_eq!(refused.status, 503, "{}", refused.body);
        assert!(refused.cookie("id").is_none() && refused.header("retry-after").is_some());
    }
    other.execute_unprepared("ROLLBACK").await.expect("the lock is let go");
    let again = async || Browser::at(&server, OFFICE).log_in("alice", PASSWORD).await.status == 303;
    until("logging in works", again).await;
}

#[tokio::test]
async fn a_new_account_begins_without_failures() {
    let server = limited().await;
    for _ in 0..11 {
        Browser::at(&server, OFFICE).guess("newcomer").await;
    }
    let form = [("username", "newcomer"), ("password", PASSWORD)];
    assert_eq!(Browser::at(&server, "192.0.2.2").post("/register", &form).await.status, 303);
    assert_eq!(Browser::at(&server, OFFICE).log_in("newcomer", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn the_right_password_leaves_no_row() {
    let server = limited().await;
    let database = open(&server).await;
    Browser::at(&server, OFFICE).guess("alice").await;
    assert_eq!(rows(&database).await, 2, "its network, and all networks");
    assert_eq!(Browser::at(&server, OFFICE).log_in("alice", PASSWORD).await.status, 303);
    assert_eq!(rows(&database).await, 0);
}

#[tokio::test]
async fn without_a_limit_nothing_is_counted_and_no_browser_is_marked() {
    let server = TestServer::start().await;
    let database = open(&server).await;
    for mount in server.mounts() {
        let client = server.client(mount);
        assert_eq!(client.log_in("alice", "wrong").await.status, 401);
        let login = client.log_in("alice", DEMO_PASSWORD).await;
        assert!(login.cookie("known_browser").is_none());
        assert!(!login.steps().iter().any(|step| step.contains("count this try")), "{:?}", login.steps());
    }
    assert_eq!(rows(&database).await, 0);
}

#[tokio::test]
async fn the_panel_shows_that_a_try_is_counted() {
    let server = limited().await;
    let login = Browser::at(&server, OFFICE).log_in("alice", PASSWORD).await;
    let steps = login.steps().join("\n");
    let before = steps.find("SQLite: count this try").expect("a step");
    let hashed = steps.find("argon2id").expect("a step");
    let deleted = steps.find("SQLite: DELETE the failed tries").expect("a step");
    assert!(before < hashed && hashed < deleted, "{steps}");
}
