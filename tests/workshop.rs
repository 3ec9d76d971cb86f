//! Runs the commands of docs/workshop.md against a real server, and compares their output with the page.
#![allow(clippy::expect_used)]

mod common;

use std::process::Command;

use common::{DEMO_PASSWORD, RedisServer, TestApp, client};

const PAGE: &str = include_str!("../docs/workshop.md");

/// The fenced blocks of the page: their language and their text, without the indentation of the list.
fn blocks() -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in PAGE.lines().map(str::trim_start) {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some((language, text))) => open = Some((language, text + line + "\n")),
            (None, None) => {}
        }
    }
    blocks
}

/// Without the environment of the test run.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn run(script: &str, folder: &std::path::Path) -> String {
    let output = command("bash").args(["-euc", script]).current_dir(folder).output().expect("bash starts");
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_the_workshop_print_what_the_page_says() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    let folder = common::folder();
    let blocks = blocks();
    let mut compared = 0;
    for (place, (language, script)) in blocks.iter().enumerate() {
        if language != "sh" || script.starts_with("cargo run") {
            continue;
        }
        let script = script.replace("http://127.0.0.1:5000", &app.base);
        let folder = folder.path().to_owned();
        let printed = tokio::task::spawn_blocking(move || run(&script, &folder)).await.expect("it runs");
        if let Some((_, shown)) = blocks.get(place + 1).filter(|(language, _)| language == "text") {
            assert_eq!(&printed, shown);
            compared += 1;
        }
    }
    assert_eq!(compared, 3, "blocks that were compared");
    app.stop().await;
}

/// What the room sees first in the panel after the login: this request, with the figures that the page promises.
#[tokio::test]
async fn the_panel_begins_with_the_request_whose_figures_the_workshop_names() {
    let redis = RedisServer::start().await;
    let app = TestApp::start(&["--redis-url", &redis.url()]).await;
    for (mount, calls, told) in [("jwt", "0", "**0 store calls**"), ("session", "1", "**1 store call**")] {
        assert!(PAGE.contains(told), "the workshop says {told}");
        let form = [("username", "alice"), ("password", DEMO_PASSWORD)];
        let browser = client();
        browser.post(app.url(&format!("/{mount}/login"))).form(&form).send().await.expect("an answer");
        let answer = browser.get(app.url(&format!("/{mount}/profile"))).send().await.expect("an answer");
        let page = answer.text().await.expect("a page");
        let panel = page.split_once("What the server did").expect("the panel").1;
        let (this, before) = (panel.find("id=\"trace-heading\""), panel.find("id=\"previous-heading\""));
        assert!(this.is_some() && this < before, "{mount}: this request comes first");
        let figure = panel.split_once("<dt>store call").expect("a figure").1.split_once("<dd>").expect("a figure").1;
        assert_eq!(figure.split('<').next(), Some(calls), "{mount}");
    }
    app.stop().await;
}

#[test]
fn the_experiment_of_the_workshop_prints_a_table() {
    let line = blocks().into_iter().map(|(_, text)| text).find(|text| text.contains("lab revocation"));
    let line = line.expect("the page measures");
    let arguments = line.split_once(" -- ").expect("arguments").1.replace("--trials 50", "--trials 3");
    let folder = common::folder();
    let mut command = command(env!("CARGO_BIN_EXE_jwt-vs-session"));
    let output = command.args(arguments.split_whitespace()).current_dir(folder.path()).output().expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for strategy in ["jwt ", "session ", "jwt-pushed ", "session-tracked "] {
        assert!(printed.lines().any(|line| line.starts_with(strategy)), "{strategy} has a row:\n{printed}");
    }
}
