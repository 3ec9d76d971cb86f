//! A start that cannot work: one clear sentence on standard error, and an exit status.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpListener;

use super::program::{command, run};
use crate::common::{Port, folder};

const SECRET: &str = "hunter2-hunter2-hunter2-hunter2-hunter2";

async fn refused(options: &[&str]) -> (Output, String) {
    let folder = folder();
    let mut all = vec!["--listen", "127.0.0.1:0"];
    if options.contains(&"--listen") {
        all.clear();
    }
    if !options.contains(&"--redis-url") {
        all.extend(["--redis-url", "none"]);
    }
    all.extend(options);
    let output = run(command(folder.path(), &all)).await;
    let said = String::from_utf8(output.stderr.clone()).expect("text");
    (output, said)
}

/// A wrong option: exit status 2.
async fn assert_refused(options: &[&str], words: &[&str]) {
    assert_ends(2, options, words).await;
}

/// Something that the server needs is not there: exit status 1.
async fn assert_fails(options: &[&str], words: &[&str]) {
    assert_ends(1, options, words).await;
}

async fn assert_ends(status: i32, options: &[&str], words: &[&str]) {
    let (output, said) = refused(options).await;
    assert_eq!(output.status.code(), Some(status), "{options:?}: {said}");
    assert!(output.stdout.is_empty(), "{options:?} wrote to standard output: {output:?}");
    let errors: Vec<_> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{options:?}: {said}");
    for word in words {
        assert!(errors[0].contains(word), "{options:?}: {word} is not in: {said}");
    }
    for internal in ["panicked", "backtrace", "Err(", "Some(", "Error {", "RUST_"] {
        assert!(!said.contains(internal), "{options:?}: {said}");
    }
    assert!(!said.contains("hunter2"), "{options:?} shows a secret: {said}");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    assert_fails(&["--listen", &address], &["cannot listen on", &address, "in use"]).await;
}

#[tokio::test]
async fn settings_that_cannot_be_right_are_named_with_their_form() {
    for (options, words) in [
        (["--listen", "nonsense"], ["cannot listen on", "nonsense"]),
        (["--database-url", "mysql://me:hunter2@db/app"], ["--database-url", "not shown"]),
        (["--redis-url", "http://127.0.0.1"], ["--redis-url", "expected redis://"]),
        (["--redis-url", "redis://a,,redis://b"], ["--redis-url", "expected redis://"]),
        (["--database-url", "mysql://127.0.0.1/app"], ["--database-url", "expected sqlite://"]),
        (["--database-url", "nonsense"], ["--database-url", "expected sqlite://"]),
        (["--public-url", "ftp://login.example"], ["--public-url", "expected http"]),
        (["--public-url", "https://login.example/app"], ["--public-url", "nothing behind"]),
        (["--jwt-algorithm", "none"], ["--jwt-algorithm", "none"]),
        (["--access-ttl", "5"], ["--access-ttl", "expected a duration"]),
        (["--login-rate", "0/m"], ["--login-rate", "30/m"]),
        (["--trusted-proxy", "everybody"], ["--trusted-proxy", "10.0.0.0/8"]),
        (["--node", "two words"], ["--node", "without spaces"]),
    ] {
        assert_refused(&options, &words).await;
    }
}

#[tokio::test]
async fn a_minimum_that_nobody_can_mean_or_that_the_demo_password_misses_is_refused() {
    for count in ["7", "65", "-1", "many"] {
        assert_refused(&[&format!("--password-min={count}")], &["--password-min", "from 8 to 64"]).await;
    }
    let words = ["password of the demo users", "A password has 20 to 128 characters.", "--no-demo"];
    assert_refused(&["--password-min", "20"], &words).await;
}

#[tokio::test]
async fn a_secret_that_is_too_short_or_of_no_use_is_refused_and_not_repeated() {
    assert_refused(&["--jwt-secret", "hunter2"], &["the JWT secret has 7 bytes", "at least 32"]).await;
    assert_refused(&["--jwt-secret", &SECRET[..31]], &["31 bytes", "at least 32"]).await;
    for algorithm in ["ES256", "EdDSA", "RS256"] {
        let options = ["--jwt-secret", SECRET, "--jwt-algorithm", algorithm];
        assert_refused(&options, &["--jwt-secret is for HS256", algorithm, "--jwt-key-file"]).await;
    }
}

#[tokio::test]
async fn a_secret_that_can_be_guessed_is_refused() {
    for pattern in ["hunter2".repeat(8), "h".repeat(64)] {
        let words = ["the JWT secret has only", "different bytes", "openssl rand -base64 32"];
        assert_refused(&["--jwt-secret", &pattern], &words).await;
        let folder = folder();
        let file = folder.path().join("key");
        std::fs::write(&file, STANDARD.encode(&pattern)).expect("a file");
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("chmod");
        assert_refused(&["--jwt-key-file", &file.display().to_string()], &["the JWT key file", words[0]]).await;
    }
    let options = ["--jwt-secret", SECRET, "--jwt-key-file", "a.key"];
    assert_refused(&options, &["--jwt-secret and --jwt-key-file exclude each other"]).await;
}

#[tokio::test]
async fn a_key_file_that_others_can_read_is_refused_with_the_remedy() {
    let folder = folder();
    let file = folder.path().join("key");
    std::fs::write(&file, STANDARD.encode(SECRET)).expect("a file");
    let path = file.display().to_string();
    for mode in [0o644, 0o640, 0o604, 0o620] {
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).expect("chmod");
        let remedy = format!("run: chmod 600 {path}");
        assert_refused(&["--jwt-key-file", &path], &["others can read the JWT key file", &remedy]).await;
    }
}

#[tokio::test]
async fn a_password_file_that_cannot_be_right_is_refused() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, text) in
        [("password", "hunter2\n"), ("empty", "\n"), ("lines", "hunter2\nhunter2\n"), ("open", "hunter2")]
    {
        std::fs::write(path(name), text).expect("a file");
        let mode = if name == "open" { 0o644 } else { 0o600 };
        std::fs::set_permissions(path(name), Permissions::from_mode(mode)).expect("chmod");
    }
    let database = "postgres://me@127.0.0.1:1/app";
    for (name, words) in [
        ("nowhere", ["cannot be read", "No such file"]),
        ("empty", ["holds no password", "one line"]),
        ("lines", ["holds no password", "one line"]),
        ("open", ["others can read the password file", "run: chmod 600"]),
    ] {
        let options = ["--database-url", database, "--database-password-file", &path(name)];
        assert_refused(&options, &[&words[..], &[&path(name)]].concat()).await;
    }
    let password = path("password");
    for url in ["sqlite://app.db", "postgres://me:hunter2@127.0.0.1:1/app"] {
        let options = ["--database-url", url, "--database-password-file", &password];
        assert_refused(&options, &["--database-password-file needs", "without a password"]).await;
    }
    for url in ["none", "redis://:hunter2@127.0.0.1:1"] {
        let options = ["--redis-url", url, "--redis-password-file", &password];
        assert_refused(&options, &["--redis-password-file needs", "without a password"]).await;
    }
}

#[tokio::test]
async fn a_strategy_or_a_file_of_figures_that_does_not_exist_is_a_wrong_option() {
    assert_refused(&["lab", "cost", "--strategies", "hs256"], &["there is no strategy hs256", "jwt-blocklist"]).await;
    assert_refused(&["--figures", "/nowhere/figures.json"], &["cannot read figures from /nowhere"]).await;
}

#[tokio::test]
async fn a_key_file_that_cannot_be_used_is_named() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("garbage"), "hunter2 is not base64!").expect("a file");
    std::fs::write(path("bytes"), [0xFF, 0xFE, 0x00]).expect("a file");
    std::fs::create_dir(path("directory")).expect("a folder");
    for name in ["garbage", "bytes"] {
        std::fs::set_permissions(path(name), Permissions::from_mode(0o600)).expect("chmod");
    }
    for name in ["garbage", "bytes", "directory", "nowhere/key"] {
        for algorithm in ["HS256", "ES256"] {
            let options = ["--jwt-key-file", &path(name), "--jwt-algorithm", algorithm];
            assert_refused(&options, &["the JWT key file", &path(name)]).await;
        }
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_named_without_its_password() {
    let folder = folder();
    std::fs::write(folder.path().join("text"), "this is not a database, and hunter2 is not its password")
        .expect("a file");
    let text = format!("sqlite://{}", folder.path().join("text").display());
    let nowhere = format!("sqlite://{}/nowhere/test.db?mode=rwc", folder.path().display());
    let nobody = Port::free();
    let closed = format!("postgres://me:hunter2@127.0.0.1:{}/app", nobody.number);
    // Accepts connections into its queue, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let silent = format!("postgres://me:hunter2@127.0.0.1:{port}/app");
    assert_fails(&["--database-url", &text], &["cannot use the SQLite file"]).await;
    let key = folder.path().join("key").display().to_string();
    let options = ["--database-url", &nowhere, "--jwt-key-file", &key];
    assert_fails(&options, &["cannot use the SQLite file", "nowhere"]).await;
    assert_fails(&["--database-url", &closed], &["cannot use the PostgreSQL database app on 127.0.0.1"]).await;
    assert_fails(&["--database-url", &silent], &["cannot use the PostgreSQL database app on 127.0.0.1"]).await;
}
