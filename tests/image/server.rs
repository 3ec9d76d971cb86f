//! The server with the stores of docker-compose.yml, over the addresses and password files of the file.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::compose::service;
use super::containers::{Passwords, RedisContainer, as_user, is_root, server_user};
use super::program::{Program, run};
use crate::common::{DEMO_PASSWORD, Postgres, bare_client, folder, program};

/// The PostgreSQL of the file, set up by its role.sql.
struct PostgresContainer(Postgres);

impl PostgresContainer {
    async fn start(passwords: &Passwords) -> Self {
        let password = passwords.read("postgres/password");
        let options = service("postgres").environment()["POSTGRES_INITDB_ARGS"].clone();
        let started = Self(Postgres::start_as_image(&options, &password).await);
        let said = started.psql("postgres", &password, &["-f", &passwords.path("postgres/role.sql")]);
        said.expect("role.sql does its work");
        started
    }

    /// What psql prints, or its error.
    fn psql(&self, user: &str, password: &str, words: &[&str]) -> Result<String, String> {
        let database = if user == "postgres" { "postgres" } else { "jwt_vs_session" };
        let mut client = Command::new(program("psql", &[], "apt-get install postgresql-client"));
        client.args(["--no-psqlrc", "--no-password", "-v", "ON_ERROR_STOP=1", "-tA", "-h", "127.0.0.1"]);
        client.args(["-p", &self.0.port().to_string(), "-U", user, "-d", database]).args(words);
        let output = client.env("PGPASSWORD", password).output().expect("psql starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").trim().to_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }
}

#[tokio::test]
async fn the_role_of_the_server_owns_its_database_and_nothing_else() {
    let passwords = Passwords::new();
    let postgres = PostgresContainer::start(&passwords).await;
    let password = passwords.read("postgres/password");
    let as_server = |sql: &str| postgres.psql("jwt_vs_session", &password, &["-c", sql]);
    let rights = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls \
                  FROM pg_roles WHERE rolname = current_user";
    assert_eq!(as_server(rights).as_deref(), Ok("f|f|f|f|f"));
    let owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()";
    assert_eq!(as_server(owner).as_deref(), Ok("jwt_vs_session"));
    for refused in ["CREATE DATABASE another", "CREATE ROLE another"] {
        let said = as_server(refused).expect_err(refused);
        assert!(said.contains("permission denied"), "{refused}: {said}");
    }
    for (user, password) in [("jwt_vs_session", "wrong"), ("postgres", "wrong"), ("postgres", password.as_str())] {
        let said = postgres.psql(user, password, &["-c", "SELECT 1"]).expect_err(user);
        assert!(said.contains("password authentication failed"), "{user}: {said}");
    }
}

/// A command of the server in its container, with the stores of the file on other ports.
struct ServerContainer {
    environment: Vec<(String, String)>,
}

impl ServerContainer {
    fn new(passwords: &Passwords, redis: &RedisContainer, postgres: &PostgresContainer) -> Self {
        let (redis, postgres) = (redis.port.number, postgres.0.port());
        let here = |(name, value): (String, String)| {
            let value = value.replace("@redis:6379", &format!("@127.0.0.1:{redis}"));
            let value = value.replace("@postgres:5432", &format!("@127.0.0.1:{postgres}"));
            (name, passwords.here(vec![value]).remove(0))
        };
        let environment = service("server").environment().into_iter().map(here);
        // The test's port is another one.
        Self { environment: environment.filter(|(name, _)| name != "PUBLIC_URL").collect() }
    }

    fn command(&self, folder: &TempDir, options: &[&str]) -> tokio::process::Command {
        let mut words = vec![env!("CARGO_BIN_EXE_jwt-vs-session").to_owned()];
        words.extend(options.iter().map(ToString::to_string));
        let words = as_user(&server_user(), words);
        if is_root() {
            let (uid, gid) = server_user()
                .split_once(':')
                .map(|(uid, gid)| (uid.parse::<u32>(), gid.parse::<u32>()))
                .expect("a user");
            std::os::unix::fs::chown(folder.path(), uid.ok(), gid.ok()).expect("chown");
        }
        let mut command = tokio::process::Command::new(&words[0]);
        command.args(&words[1..]).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).current_dir(folder.path());
        command.kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

#[tokio::test]
async fn the_server_works_with_these_accounts() {
    let passwords = Passwords::new();
    let (redis, postgres) = (RedisContainer::start(&passwords).await, PostgresContainer::start(&passwords).await);
    let container = ServerContainer::new(&passwords, &redis, &postgres);
    let folder = folder();
    let listed = run(container.command(&folder, &["strategies", "--format", "json"])).await;
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let slugs: Vec<_> = listed["strategies"].as_array().expect("a list").iter().map(|it| &it["slug"]).collect();
    assert_eq!(slugs.len(), 9);
    let mut command = container.command(&folder, &["--listen", "127.0.0.1:0"]);
    let log = std::fs::File::create(folder.path().join("log")).expect("a file");
    let server = Program::start_command(folder, command.stderr(log)).await;
    for slug in slugs {
        let mount = format!("/{}", slug.as_str().expect("a text"));
        let (status, cookie) = server.log_in(&mount, "alice", DEMO_PASSWORD).await;
        assert_eq!(status, 303, "{mount}: {}", server.log());
        let cookie = cookie.expect("a credential");
        assert!(server.accepts(&mount, &cookie).await, "{mount}");
        let out = bare_client().post(server.url(&format!("{mount}/logout-everywhere"))).header("cookie", &cookie);
        assert_eq!(out.send().await.expect("an answer").status(), 303, "{mount}");
        if !["/jwt", "/jwt-refresh"].contains(&mount.as_str()) {
            assert!(!server.accepts(&mount, &cookie).await, "{mount}");
        }
    }
    let ready: serde_json::Value = serde_json::from_str(&server.page("/readyz").await).expect("JSON");
    assert!(!ready.to_string().contains("\"ready\":false"), "{ready}");
    for password in ["redis/password", "postgres/password"].map(|file| passwords.read(file)) {
        assert!(!server.log().contains(&password) && !ready.to_string().contains(&password));
    }
    let errors = redis.as_server(&passwords, &["info", "errorstats"]);
    assert!(!errors.contains("NOPERM"), "the server's user may do all that the server does: {errors}");
    server.stop().await;
}

/// `docker compose exec server jwt-vs-session user add NAME` reaches the same database: the passwords are in no variable
/// that only the first process has.
#[tokio::test]
async fn commands_use_the_same_accounts() {
    let passwords = Passwords::new();
    let (redis, postgres) = (RedisContainer::start(&passwords).await, PostgresContainer::start(&passwords).await);
    let container = ServerContainer::new(&passwords, &redis, &postgres);
    let folder = folder();
    let input = "käse-und-brot-um-vier";
    let added = super::program::run_with_input(container.command(&folder, &["user", "add", "dora"]), input).await;
    assert!(added.status.success(), "{added:?}");
    let password = passwords.read("postgres/password");
    let users = postgres.psql("jwt_vs_session", &password, &["-c", "SELECT name FROM users"]);
    assert_eq!(users.as_deref(), Ok("dora"));
    let disabled = run(container.command(&folder, &["user", "disable", "dora"])).await;
    assert!(disabled.status.success(), "{disabled:?}");
}
