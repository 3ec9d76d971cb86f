//! A Redis of this server's own: a child process on a Unix socket, stopped with the server.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, ChildStdin};
use tokio::time::{Instant, sleep, timeout};

use super::{Redis, RedisUrl, RedisUrlError};

/// Runs `redis-server`, and ends it as soon as standard input closes: the system closes it for a server that crashed or
/// was killed. Ends by itself when `redis-server` does. Deletes the folder at its end.
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

/// The longest that Redis may take to start, and to stop.
const START_STOP_LIMIT: Duration = Duration::from_secs(5);

/// A running `redis-server` that only this user can reach: no port, a socket in a folder of mode 0700.
#[derive(Debug)]
pub struct PrivateRedis {
    watchdog: Child,
    /// Ends the process when it is dropped.
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
            // Ctrl-C goes to the whole process group: Redis must outlive the requests under way.
            .process_group(0);
        let mut watchdog = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        let leash = watchdog.stdin.take();
        let mut started = Self { watchdog, leash, folder };
        started.wait_until_ready().await?;
        Ok(Some(started))
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    pub fn url(&self) -> Result<RedisUrl, RedisUrlError> {
        format!("redis+unix://{}", self.socket().display()).parse()
    }

    /// Ends the process: up to 5 s by itself, then by SIGKILL.
    pub async fn stop(mut self) {
        drop(self.leash.take());
        if timeout(START_STOP_LIMIT, self.watchdog.wait()).await.is_err() {
            let _ = self.watchdog.kill().await;
        }
    }

    async fn wait_until_ready(&mut self) -> io::Result<()> {
        let redis = Redis::open(&self.url().map_err(io::Error::other)?).map_err(io::Error::other)?;
        let deadline = Instant::now() + START_STOP_LIMIT;
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

#[cfg(test)]
mod tests {
    use redis::Script;

    use super::*;
    use crate::trace::{StepKind, Trace};

    /// The first time Redis does not have the script, and the library sends it again as a whole.
    #[tokio::test]
    async fn a_script_counts_as_one_store_call_also_the_first_time() {
        let private = PrivateRedis::start().await.expect("redis-server starts").expect("redis-server is on PATH");
        let redis = Redis::open(&private.url().expect("a url")).expect("a connection");
        let script = Script::new("return redis.call('INCR', KEYS[1])");
        for _ in 0..2 {
            let trace = Trace::on();
            let run = async { redis.run::<i64>(&script.key("count")).await };
            trace.timed(StepKind::Store, |_| "a script", run).await.expect("Redis runs it");
            assert_eq!(trace.store_calls(), 1);
        }
        private.stop().await;
    }
}
