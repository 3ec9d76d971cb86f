//! A start where strangers can reach the server: what the terminal says, and the password of the demo users.

use std::fs::File;

use tokio::time::timeout;

use super::program::{Program, command, run};
use crate::common::{DEMO_PASSWORD, PATIENCE, folder};

/// Every address of this machine, with a free port.
const EVERYWHERE: [&str; 4] = ["--listen", "0.0.0.0:0", "--redis-url", "none"];

const CHOSEN: &str = "tee-und-kuchen-um-vier";

async fn start_everywhere() -> Program {
    let folder = folder();
    let mut command = command(folder.path(), &EVERYWHERE);
    command.stderr(File::create(folder.path().join("log")).expect("a file"));
    Program::start_command(folder, &mut command).await
}

async fn second_line(server: &mut Program) -> String {
    let line = timeout(PATIENCE, server.lines.next_line()).await.expect("a line in time");
    line.expect("text").expect("a line")
}

#[tokio::test]
async fn beyond_loopback_without_https_a_warning_says_what_to_set() {
    for (options, warns) in [
        (vec!["--public-url", "http://login.example"], true),
        (vec!["--public-url", "https://login.example"], false),
        (vec![], false),
    ] {
        let server = Program::start(&options).await;
        let log = server.log();
        assert_eq!(log.contains("NO HTTPS: passwords and cookies cross the network in clear text"), warns, "{log}");
        assert_eq!(log.contains("--public-url https://HOST"), warns, "{log}");
        server.stop().await;
    }
    let server = start_everywhere().await;
    assert!(server.log().contains("NO HTTPS"), "{}", server.log());
    server.stop().await;
}

#[tokio::test]
async fn beyond_loopback_without_demo_users_a_line_says_how_to_get_a_user() {
    let mut server = start_everywhere().await;
    let line = second_line(&mut server).await;
    assert!(line.contains("jwt-vs-session user add NAME") && line.contains("--demo"), "{line}");
    server.stop().await;
}

#[tokio::test]
async fn a_presenter_chooses_the_password_of_the_demo_users() {
    let public = ["--redis-url", "none", "--public-url", "http://login.example"];
    let mut server = Program::start_in(folder(), &[&public[..], &["--demo-password", CHOSEN]].concat()).await;
    let line = second_line(&mut server).await;
    assert_eq!(line, format!("demo users alice, bob, carol with the password {CHOSEN}"));
    assert_eq!(server.log_in("/jwt", "alice", CHOSEN).await.0, 303);
    assert!(!server.page("/").await.contains(CHOSEN), "strangers can read the page");
    assert!(!server.log().contains(CHOSEN), "a log is kept");
    server.stop().await;
}

/// The database of a rehearsal has the known password.
#[tokio::test]
async fn a_chosen_password_replaces_the_known_one_on_loopback() {
    let folder = Program::start(&[]).await.stop().await;
    let server = Program::start_in(folder, &["--redis-url", "none", "--demo-password", CHOSEN]).await;
    assert_eq!(server.log_in("/jwt", "carol", CHOSEN).await.0, 303);
    assert_eq!(server.log_in("/jwt", "carol", DEMO_PASSWORD).await.0, 401);
    server.stop().await;
}

#[tokio::test]
async fn a_chosen_password_that_can_be_guessed_is_refused() {
    let folder = folder();
    for (password, public) in [("password1", true), ("password1", false), ("short", true), (DEMO_PASSWORD, true)] {
        let mut options = vec!["--redis-url", "none", "--listen", "127.0.0.1:0", "--demo-password", password];
        if public {
            options.extend(["--public-url", "http://login.example"]);
        }
        let output = run(command(folder.path(), &options)).await;
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{password}: {said}");
        assert!(said.contains("--demo-password: ") && !said.contains(password), "{said}");
    }
}
