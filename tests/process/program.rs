//! The program under test, in a new folder and without the environment of the test run.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::common::{LONG_PATIENCE, PATIENCE, bare_client, folder};

/// A command of the program, with these options and a database in `folder` if none is named.
pub fn command(folder: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jwt-vs-session"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(folder);
    command.args(options).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end; it may be a whole experiment.
pub async fn run(mut command: Command) -> Output {
    timeout(LONG_PATIENCE, command.output()).await.expect("it ends in time").expect("it runs")
}

/// Runs a command with this text on standard input.
pub async fn run_with_input(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it runs");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).await.expect("it reads");
    timeout(LONG_PATIENCE, child.wait_with_output()).await.expect("it ends in time").expect("it runs")
}

/// A running server.
pub struct Program {
    pub child: Child,
    pub address: SocketAddr,
    pub lines: Lines<BufReader<ChildStdout>>,
    pub folder: TempDir,
    /// The host that requests name.
    host: String,
}

impl Program {
    /// Starts on a free port and without Redis, unless the options say more.
    pub async fn start(options: &[&str]) -> Self {
        Self::start_in(folder(), &[&["--redis-url", "none"], options].concat()).await
    }

    /// Starts with exactly these options, on a free port, in this folder.
    pub async fn start_in(folder: TempDir, options: &[&str]) -> Self {
        Self::start_as(folder, options, None).await
    }

    /// Starts with another PATH.
    pub async fn start_as(folder: TempDir, options: &[&str], path: Option<&Path>) -> Self {
        let rate = if options.contains(&"--login-rate") { &[][..] } else { &["--login-rate", "off"] };
        let options = [&["--listen", "127.0.0.1:0"], rate, options].concat();
        let mut command = command(folder.path(), &options);
        if let Some(path) = path {
            command.env("PATH", path);
        }
        let log = File::create(folder.path().join("log")).expect("a file");
        Self::start_command(folder, command.stderr(log)).await
    }

    /// Starts a command that may write its log elsewhere.
    pub async fn start_command(folder: TempDir, command: &mut Command) -> Self {
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let first = timeout(PATIENCE, lines.next_line()).await.expect("a line in time").expect("text");
        let first = first.unwrap_or_else(|| panic!("no line, but: {}", log(folder.path())));
        let address = first.strip_prefix("listening on http://").and_then(|address| address.parse().ok());
        let address: SocketAddr = address.unwrap_or_else(|| panic!("the first line is {first:?}"));
        let arguments: Vec<_> = command.as_std().get_args().filter_map(|argument| argument.to_str()).collect();
        let public = arguments.windows(2).find(|pair| pair[0] == "--public-url");
        let host = public.and_then(|pair| pair[1].split_once("://"));
        let host = host.map_or_else(|| address.to_string(), |(_, host)| host.to_owned());
        Self { child, address, lines, folder, host }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    pub fn log(&self) -> String {
        log(self.folder.path())
    }

    pub fn signal(&self, signal: &str) {
        let status = std::process::Command::new("kill").args([signal, &self.id().to_string()]).status();
        assert!(status.expect("kill").success(), "{signal} is sent");
    }

    /// Waits until it ends. The exit status, or `None` after a signal.
    pub async fn ended(&mut self) -> Option<i32> {
        timeout(LONG_PATIENCE, self.child.wait()).await.expect("it ends in time").expect("a status").code()
    }

    /// Stops it, and returns its folder.
    pub async fn stop(mut self) -> TempDir {
        self.signal("-TERM");
        assert_eq!(self.ended().await, Some(0), "{}", self.log());
        self.folder
    }

    /// The body of a page.
    pub async fn page(&self, path: &str) -> String {
        let reply = bare_client().get(self.url(path)).header("host", &self.host).send().await.expect("an answer");
        reply.text().await.expect("a page")
    }

    /// Logs in by the form: the status, and the credential as a `Cookie` line if there is one.
    pub async fn log_in(&self, mount: &str, user: &str, password: &str) -> (u16, Option<String>) {
        let form = [("username", user), ("password", password)];
        let request = bare_client().post(self.url(&format!("{mount}/login"))).header("host", &self.host);
        let reply = request.form(&form).send().await.expect("an answer");
        let line = reply.headers().get("set-cookie").and_then(|line| line.to_str().ok());
        (reply.status().as_u16(), line.and_then(|line| line.split(';').next()).map(ToOwned::to_owned))
    }

    pub async fn accepts(&self, mount: &str, cookie: &str) -> bool {
        let request = bare_client().get(self.url(&format!("{mount}/api/me"))).header("cookie", cookie);
        request.send().await.expect("an answer").status() == 200
    }
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

/// The processes below this one.
pub fn descendants(parent: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .expect("processes")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|id: u32| Some((id, parent_of(id)?)))
        .collect();
    let mut found = vec![parent];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(all.iter().filter(|(_, above)| *above == parent).map(|(id, _)| *id));
        next += 1;
    }
    found.split_off(1)
}

fn parent_of(id: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    if state == "Z" { None } else { fields.next()?.parse().ok() }
}

/// Whether a process is there, and not only waiting to be reaped.
pub fn runs(id: u32) -> bool {
    parent_of(id).is_some()
}

/// The `redis-server` below a process.
pub fn private_redis(server: u32) -> Option<u32> {
    let name = |id: &u32| std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
    descendants(server).into_iter().find(|id| name(id).trim() == "redis-server")
}
