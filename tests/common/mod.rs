//! What the tests share: the app on port 0, a Redis and a PostgreSQL for each test, clients that keep cookies.
//!
//! A missing program fails the test with a sentence that says what to install. Every process ends with the test, also when
//! the test panics or is killed: each waits on a pipe that the system then closes.
#![allow(dead_code, clippy::expect_used, clippy::unwrap_used)] // each test binary uses its part

mod postgres;
pub mod proxy;
mod redis;
pub mod wire;

use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use clap::builder::Resettable;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use jwt_vs_session::app::{App, STRATEGIES, StrategyEntry};
use jwt_vs_session::auth::Description;
use jwt_vs_session::clock::{Clock, Timestamp};
use jwt_vs_session::config::Settings;
use jwt_vs_session::telemetry;
use tempfile::TempDir;
use tokio::net::TcpSocket;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[allow(unused_imports)] // not every test binary starts them
pub use self::{
    postgres::{Postgres, postgres_database},
    redis::RedisServer,
};

/// The password of alice, bob and carol on loopback.
pub const DEMO_PASSWORD: &str = "two-doors-one-key";

/// The longest that a test waits for a condition.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The longest that a whole experiment, or the first start of a browser, may take on a slow machine.
pub const LONG_PATIENCE: Duration = Duration::from_mins(2);

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: Settings,
}

/// Settings as from a command line, with a free port and files in `folder`.
pub fn settings(folder: &Path, more: &[&str]) -> Settings {
    let database = format!("sqlite://{}/test.db?mode=rwc", folder.display());
    let key = folder.join("test.key");
    let mut arguments = vec!["test", "--listen", "127.0.0.1:0"];
    if !more.contains(&"--jwt-secret") {
        arguments.extend(["--jwt-key-file", key.to_str().unwrap()]);
    }
    if !more.contains(&"--database-url") {
        arguments.extend(["--database-url", &database]);
    }
    if !more.contains(&"--redis-url") {
        arguments.extend(["--redis-url", "none"]);
    }
    if !more.contains(&"--login-rate") {
        arguments.extend(["--login-rate", "off"]);
    }
    arguments.extend(more);
    // The environment of the test run must not change the settings.
    let command = Arguments::command().mut_args(|argument| argument.env(Resettable::Reset));
    let matches = command.try_get_matches_from(arguments).expect("valid settings");
    Arguments::from_arg_matches(&matches).expect("valid settings").settings
}

/// A running server in this process.
pub struct TestApp {
    pub address: SocketAddr,
    pub base: String,
    /// The host of `--public-url`, which every request names.
    host: Option<String>,
    /// Every mount, as its strategy describes itself.
    pub strategies: Vec<Description>,
    pub clock: Clock,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<std::io::Result<()>>>,
    pub folder: TempDir,
}

impl TestApp {
    /// Starts on the system's clock. `more` are options as on the command line, such as `["--redis-url", url]`.
    pub async fn start(more: &[&str]) -> Self {
        Self::start_at(more, Clock::system()).await
    }

    /// Starts on a clock that the test moves with [`Clock::advance`]; it starts at the present.
    pub async fn start_with_clock(more: &[&str]) -> Self {
        Self::start_at(more, Clock::manual(Clock::system().now())).await
    }

    async fn start_at(more: &[&str], clock: Clock) -> Self {
        Self::start_with_strategies(more, clock, STRATEGIES).await
    }

    /// With another list of strategies than the server's.
    pub async fn start_with_strategies(more: &[&str], clock: Clock, list: &'static [StrategyEntry]) -> Self {
        telemetry::count();
        let folder = folder();
        let settings = settings(folder.path(), more);
        let app = App::open_with(&settings, clock.clone(), list).await.expect("the app starts");
        let address = app.address();
        let strategies = app.strategies().map(|strategy| strategy.describe().clone()).collect();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(app.run(async {
            let _ = stopped.await;
        }));
        let base = format!("http://{address}");
        let host = settings.public_url.as_ref().and_then(|url| url.host_str()).map(ToOwned::to_owned);
        Self { address, base, host, strategies, clock, stop: Some(stop), server: Some(server), folder }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A client like a browser with one cookie jar, at the public address. Does not follow redirects.
    pub fn client(&self) -> reqwest::Client {
        self.naming_the_host(patient().cookie_store(true))
    }

    /// A client that keeps nothing, at the public address.
    pub fn bare_client(&self) -> reqwest::Client {
        self.naming_the_host(patient())
    }

    fn naming_the_host(&self, builder: reqwest::ClientBuilder) -> reqwest::Client {
        let host = self.host.iter().map(|host| (reqwest::header::HOST, host.parse().expect("a header")));
        builder.default_headers(host.collect()).build().expect("a client")
    }

    /// Stops the server, and waits until it has ended.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            server.await.expect("the server does not panic").expect("the server stops");
        }
    }
}

/// A client like a browser with one cookie jar. Does not follow redirects.
pub fn client() -> reqwest::Client {
    patient().cookie_store(true).build().expect("a client")
}

/// A client that keeps nothing.
pub fn bare_client() -> reqwest::Client {
    patient().build().expect("a client")
}

/// Without the proxy of the machine that runs the tests.
fn patient() -> reqwest::ClientBuilder {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).no_proxy()
}

/// The cookie line (`name=value`) of an answer's `Set-Cookie` with this name.
pub fn cookie_of(response: &reqwest::Response, name: &str) -> Option<String> {
    let lines = response.headers().get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.filter_map(|line| line.split(';').next());
    pairs.find(|pair| pair.starts_with(&format!("{name}="))).map(ToOwned::to_owned)
}

/// Logs in by the form and returns the credential as a `Cookie` line.
pub async fn log_in(app: &TestApp, mount: &str, cookie: &str, user: &str) -> String {
    let form = [("username", user), ("password", DEMO_PASSWORD)];
    let response =
        app.bare_client().post(app.url(&format!("{mount}/login"))).form(&form).send().await.expect("an answer");
    assert_eq!(response.status(), 303, "{user} logs in under {mount}");
    cookie_of(&response, cookie).expect("a credential")
}

/// The status of `GET M/api/me` with this `Cookie` line.
pub async fn me(app: &TestApp, mount: &str, cookie: &str) -> u16 {
    let request = app.bare_client().get(app.url(&format!("{mount}/api/me"))).header("cookie", cookie);
    request.send().await.expect("an answer").status().as_u16()
}

/// Waits until `condition` holds; fails after [`PATIENCE`] with `what`.
pub async fn until(what: &str, condition: impl AsyncFnMut() -> bool) {
    until_within(PATIENCE, what, condition).await;
}

/// The same with more patience, for what takes longer by its nature.
pub async fn until_within(patience: Duration, what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < patience, "waited {patience:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A folder of the test's own, with room for databases.
pub fn folder() -> TempDir {
    folder_in_memory(64 << 20).unwrap_or_else(|| tempfile::tempdir().expect("a folder"))
}

/// Where nothing waits for a disk, which may stand still for longer than a statement may take. `None` if the system has
/// no such place, or less room in it.
pub fn folder_in_memory(bytes: u64) -> Option<TempDir> {
    let place = rustix::fs::statvfs("/dev/shm").ok()?;
    let free = place.f_bavail.saturating_mul(place.f_frsize);
    let folder = tempfile::Builder::new().prefix("jwt-vs-session-test-").tempdir_in("/dev/shm");
    folder.ok().filter(|_| free >= bytes)
}

/// A free port of loopback, reserved for the server that the test starts on it.
pub struct Port {
    pub number: u16,
    /// Bound and not listening: on Linux a server that sets SO_REUSEADDR may bind it too, and the system gives it to no
    /// other program.
    _held: Option<TcpSocket>,
}

impl Port {
    pub fn free() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("a socket option");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let number = socket.local_addr().expect("an address").port();
        Self { number, _held: cfg!(target_os = "linux").then_some(socket) }
    }
}

/// Ends the program when standard input closes, which happens when the test process ends, however it does.
const LEASH: &str = r#"exec 3<&0; "$@" </dev/null & p=$!; { read -r _ <&3; kill "-$SIGNAL" "$p"; } 2>/dev/null & wait "$p"
[ -z "$FOLDER" ] || for _ in 1 2 3 4 5 6 7 8 9; do rm -rf "$FOLDER"; sleep 0.1; [ -e "$FOLDER" ] || break; done"#;

/// A program that ends with the test.
pub struct Leashed {
    shell: Child,
    leash: Option<ChildStdin>,
}

impl Leashed {
    /// Ends by `signal`; `folder` goes with it.
    pub fn start(
        program: &Path,
        arguments: &[String],
        signal: &str,
        user: Option<(u32, u32)>,
        folder: Option<&Path>,
    ) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", LEASH, "leash"]).arg(program).args(arguments);
        command.env("SIGNAL", signal).env("FOLDER", folder.unwrap_or(Path::new("")));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        if let Some((uid, gid)) = user {
            command.uid(uid).gid(gid).current_dir("/");
        }
        let mut shell = command.spawn().expect("sh starts");
        let leash = shell.stdin.take();
        Self { shell, leash }
    }

    /// Whether the program has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.shell.try_wait().expect("a process").is_some()
    }
}

impl Drop for Leashed {
    fn drop(&mut self) {
        // A stopped program cannot end.
        let _ = Command::new("kill").args(["-CONT", "--", &format!("-{}", self.shell.id())]).status();
        drop(self.leash.take());
        let _ = self.shell.wait();
    }
}

/// Finds a program on PATH or in one of `folders`, or says what to install.
pub fn program(name: &str, folders: &[PathBuf], install: &str) -> PathBuf {
    find(name, folders)
        .unwrap_or_else(|| panic!("{name} is not on PATH: install it ({install}), or run tests/run, which does"))
}

/// Finds a program on PATH or in one of `folders`.
pub fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all = std::env::split_paths(&path).chain(folders.iter().cloned());
    all.find_map(|folder| Some(folder.join(name)).filter(|file| file.is_file()))
}

/// A fixed moment for clocks in unit-like tests.
pub fn noon() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000)
}
