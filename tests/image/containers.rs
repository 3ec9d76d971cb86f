//! The containers of docker-compose.yml without Docker: their scripts, stores and server run here. If the test runs as
//! root, each runs as the container's user, without a capability and unable to gain one.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Output};

use tempfile::TempDir;

use super::compose::service;
use super::inputs::repository_text;
use crate::common::{Leashed, Port, folder, program, until};

/// The folder of the passwords in the containers.
const PASSWORDS: &str = "/run/passwords";

/// The files that the service `passwords` makes, in a folder of the test's own.
pub struct Passwords {
    folder: TempDir,
}

impl Passwords {
    pub fn new() -> Self {
        let passwords = Self { folder: folder() };
        std::fs::set_permissions(passwords.folder.path(), Permissions::from_mode(0o755)).expect("chmod");
        for store in ["redis", "postgres"] {
            std::fs::create_dir(passwords.folder.path().join(store)).expect("a folder");
        }
        passwords.make();
        passwords
    }

    /// Runs the service, which is silent.
    fn make(&self) {
        let service = service("passwords");
        let words = self.here([service.list("entrypoint"), service.list("command")].concat());
        let output = run(&as_user(&service.text("user").expect("a user"), words));
        assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        for store in ["redis", "postgres"] {
            if !is_root() {
                let file = self.folder.path().join(store).join("password");
                let mode = std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777;
                assert_eq!(mode, 0o640, "the group of the server reads it, and nobody else");
                std::fs::set_permissions(file, Permissions::from_mode(0o600)).expect("chmod");
            }
        }
    }

    /// The texts with the folder of the containers replaced by the test's.
    pub fn here(&self, texts: Vec<String>) -> Vec<String> {
        let folder = self.folder.path().display().to_string();
        texts.into_iter().map(|text| text.replace(PASSWORDS, &folder)).collect()
    }

    pub fn path(&self, file: &str) -> String {
        self.folder.path().join(file).display().to_string()
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// Every file with its text, mode, group and times.
    fn files(&self) -> Vec<String> {
        let files = ["redis", "postgres"].map(|store| std::fs::read_dir(self.path(store)).expect("a folder"));
        let mut paths: Vec<_> = files.into_iter().flatten().map(|entry| entry.expect("a file").path()).collect();
        paths.sort();
        let describe = |path: &std::path::PathBuf| {
            let file = std::fs::metadata(path).expect("a file");
            let text = std::fs::read_to_string(path).expect("text");
            format!("{} {text} {:o} {} {} {}", path.display(), file.mode(), file.gid(), file.mtime(), file.mtime_nsec())
        };
        paths.iter().map(describe).collect()
    }
}

/// The redis-server of the file, on a free port of loopback.
pub struct RedisContainer {
    pub port: Port,
    _process: Leashed,
}

impl RedisContainer {
    pub async fn start(passwords: &Passwords) -> Self {
        let (service, port) = (service("redis"), Port::free());
        let mut words = passwords.here([service.list("entrypoint"), service.list("command")].concat());
        words[0] = program(&words[0], &[], "apt-get install redis-server").display().to_string();
        words.extend(["--bind", "127.0.0.1", "--port", &port.number.to_string()].map(ToOwned::to_owned));
        let words = as_user(&service.text("user").expect("a user"), words);
        let process = Leashed::start(words[0].as_ref(), &words[1..], "KILL", None, None);
        let started = Self { port, _process: process };
        until("Redis answers", async || started.redis_cli(&["ping"]).status.success()).await;
        started
    }

    /// What `redis-cli` prints, without a password.
    fn redis_cli(&self, words: &[&str]) -> Output {
        let client = program("redis-cli", &[], "apt-get install redis-tools");
        Command::new(client).args(["-p", &self.port.number.to_string()]).args(words).output().expect("redis-cli starts")
    }

    /// What Redis answers the server's user.
    pub fn as_server(&self, passwords: &Passwords, words: &[&str]) -> String {
        let password = passwords.read("redis/password");
        let output = self.redis_cli(&[&["--user", "jwt_vs_session", "--pass", &password], words].concat());
        String::from_utf8(output.stdout).expect("text")
    }
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The command as the container runs it. Only root can become another user; everybody else runs it as themselves.
pub fn as_user(user: &str, words: Vec<String>) -> Vec<String> {
    if !is_root() {
        return words;
    }
    let (uid, gid) = user.split_once(':').expect("USER:GROUP");
    let mut all = vec!["setpriv".to_owned(), format!("--reuid={uid}"), format!("--regid={gid}")];
    let none = ["--clear-groups", "--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs"];
    all.extend(none.map(ToOwned::to_owned));
    all.extend(words);
    all
}

/// The user of the server's container.
pub fn server_user() -> String {
    let dockerfile = repository_text("Dockerfile");
    dockerfile.lines().find_map(|line| line.strip_prefix("USER ")).expect("USER").to_owned()
}

fn run(words: &[String]) -> Output {
    Command::new(&words[0]).args(&words[1..]).output().unwrap_or_else(|error| panic!("{}: {error}", words[0]))
}

#[test]
fn passwords_are_made_once_and_for_one_machine() {
    let (one, other) = (Passwords::new(), Passwords::new());
    let all = [&one, &other].map(|it| ["redis/password", "postgres/password"].map(|file| it.read(file))).concat();
    for (index, password) in all.iter().enumerate() {
        assert!(password.len() == 64 && password.bytes().all(|byte| byte.is_ascii_hexdigit()), "{password:?}");
        assert!(!all[..index].contains(password), "the same password twice");
    }
    let before = one.files();
    assert_eq!(before.len(), 4, "{before:?}");
    one.make();
    assert_eq!(one.files(), before, "a second start changes a password");
}

#[test]
fn an_interrupted_start_is_made_up_for() {
    let passwords = Passwords::new();
    let first = passwords.read("redis/password");
    std::fs::remove_file(passwords.path("redis/password")).expect("a file");
    std::fs::write(passwords.path("redis/new"), "half").expect("a file");
    let kept = passwords.read("postgres/role.sql");
    passwords.make();
    let second = passwords.read("redis/password");
    assert_ne!(first, second);
    assert!(passwords.read("redis/users.acl").contains(&format!(">{second} ")));
    assert_eq!(passwords.read("postgres/role.sql"), kept);
}

/// Without any capability: root is nobody special then.
#[test]
fn a_password_is_for_its_store_and_the_server_alone() {
    if !is_root() {
        println!("not checked: only root can become the users of the containers");
        return;
    }
    let passwords = Passwords::new();
    let readable =
        |user: &str, file: &str| run(&as_user(user, vec!["cat".to_owned(), passwords.path(file)])).status.success();
    let user = |name: &str| service(name).text("user").expect("a user");
    assert!(readable(&user("redis"), "redis/users.acl") && readable(&user("redis"), "redis/password"));
    assert!(readable(&user("postgres"), "postgres/role.sql") && readable(&user("postgres"), "postgres/password"));
    assert!(readable(&server_user(), "redis/password") && readable(&server_user(), "postgres/password"));
    for stranger in ["999:1000", "70:70", "65534:65534"] {
        for file in ["redis/users.acl", "redis/password", "postgres/role.sql", "postgres/password"] {
            assert!(!readable(stranger, file), "{stranger} reads {file}");
        }
    }
    let write = vec!["sh".to_owned(), "-c".to_owned(), format!("echo >>{}", passwords.path("redis/password"))];
    assert!(!run(&as_user(&user("redis"), write)).status.success(), "Redis changes its password");
}

#[tokio::test]
async fn redis_refuses_whoever_has_no_password_and_the_server_what_is_an_administrators() {
    let passwords = Passwords::new();
    let redis = RedisContainer::start(&passwords).await;
    let without = |words: &[&str]| String::from_utf8(redis.redis_cli(words).stdout).expect("text");
    for words in [&["ping"][..], &["get", "key"], &["info"]] {
        assert!(without(words).starts_with("NOAUTH"), "{words:?}: {}", without(words));
    }
    assert!(without(&["--user", "jwt_vs_session", "--pass", "wrong", "ping"]).starts_with("NOAUTH"));
    assert_eq!(redis.as_server(&passwords, &["ping"]), "PONG\n");
    for words in [&["flushall"][..], &["config", "get", "*"], &["acl", "list"], &["shutdown"], &["keys", "*"]] {
        let answer = redis.as_server(&passwords, words);
        assert!(answer.starts_with("NOPERM"), "{words:?}: {answer}");
    }
    let policy = redis.as_server(&passwords, &["info", "memory"]);
    assert!(policy.contains("maxmemory_policy:noeviction"), "{policy}");
}

#[tokio::test]
async fn the_health_check_of_redis_needs_its_password() {
    let passwords = Passwords::new();
    let redis = RedisContainer::start(&passwords).await;
    let here = format!("redis-cli -p {}", redis.port.number);
    let check = || {
        let service = service("redis");
        let text = service.health_check().expect("a health check").replace("redis-cli", &here);
        let words = passwords.here(["sh", "-c", &text].map(ToOwned::to_owned).to_vec());
        run(&as_user(&service.text("user").expect("a user"), words))
    };
    assert!(check().status.success(), "{:?}", check());
    std::fs::write(passwords.path("redis/password"), "another").expect("a file");
    assert!(!check().status.success(), "{:?}", check());
}
