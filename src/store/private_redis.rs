//! A Redis of this server's own: a child process on a Unix socket, gone when the server is gone.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, ChildStdin};
use tokio::time::{Instant, sleep, timeout};

use super::{Redis, RedisUrl};

/// Runs `redis-server` and ends it as soon as standard input closes, which the system does for a server that
/// crashed or was killed. Ends with `redis-server` when that goes first. The folder goes along.
const WATCHDOG: &str = r#"
exec 3<&0
"$@" </dev/null >/dev/null &
redis=$!
{ read -r _ <&3; kill "$redis"; } 2>/dev/null &
leash=$!
wait "$redis"
kill "$leash" 2>/dev/null
rm -rf "$FOLDER" 2>/dev/null
"#;

/// How long Redis may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running `redis-server` that nobody else can reach: no port, a socket in a folder of mode 0700.
#[derive(Debug)]
pub struct PrivateRedis {
    watchdog: Child,
    leash: Option<ChildStdin>,
    folder: TempDir,
}

impl PrivateRedis {
    /// Starts `redis-server` if that program is on PATH; `None` if it is not.
    pub async fn start() -> io::Result<Option<Self>> {
        if !on_path("redis-server") {
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("jwt-vs-session-").tempdir()?;
        let mut command = Command::new("sh");
        command
            .args(["-c", WATCHDOG, "redis-watchdog", "redis-server"])
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"])
            .args(["--unixsocketperm", "700", "--unixsocket"])
            .arg(folder.path().join("redis.sock"))
            .arg("--dir")
            .arg(folder.path())
            .env("FOLDER", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // Ctrl-C goes to the whole process group: Redis must outlive the requests that are being finished.
            .process_group(0);
        let mut watchdog = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        let leash = watchdog.stdin.take();
        let mut started = Self { watchdog, leash, folder };
        started.wait_until_ready().await?;
        Ok(Some(started))
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// The address of the socket.
    pub fn url(&self) -> Result<RedisUrl, String> {
        format!("redis+unix://{}", self.socket().display()).parse()
    }

    /// Lets go of the leash and waits until the process has ended.
    pub async fn stop(mut self) {
        drop(self.leash.take());
        if timeout(PATIENCE, self.watchdog.wait()).await.is_err() {
            let _ = self.watchdog.kill().await;
        }
    }

    async fn wait_until_ready(&mut self) -> io::Result<()> {
        let redis = self.url().and_then(|url| Redis::open(&url).map_err(|error| error.to_string()));
        let redis = redis.map_err(io::Error::other)?;
        let deadline = Instant::now() + PATIENCE;
        while redis.ping().await.is_err() {
            if let Some(status) = self.watchdog.try_wait()? {
                return Err(died(status));
            }
            if Instant::now() > deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "redis-server did not answer within 5 s"));
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

fn died(status: ExitStatus) -> io::Error {
    io::Error::other(format!("redis-server ended at once ({status})"))
}

fn on_path(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else { return false };
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
