//! A redis-server that a test may restart, stop and inspect.

use std::process::Command;

use redis::AsyncConnectionConfig;

use super::{Leashed, PATIENCE, Port, program, until};

/// A Redis for one test, on a free port of loopback.
pub struct RedisServer {
    port: Port,
    process: Option<Leashed>,
    options: Vec<String>,
}

impl RedisServer {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With more options, such as `["--maxmemory", "2mb"]`.
    pub async fn start_with(options: &[&str]) -> Self {
        let options = options.iter().map(ToString::to_string).collect();
        let mut server = Self { port: Port::free(), process: None, options };
        server.restart().await;
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port.number)
    }

    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// Ends it, and starts it again on the same port: empty, or with the snapshot in its folder.
    pub async fn restart(&mut self) {
        self.kill();
        let file = program("redis-server", &[], "apt-get install redis-server");
        let mut arguments: Vec<String> =
            ["--port", &self.port.number.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
                .map(ToString::to_string)
                .to_vec();
        arguments.extend(self.options.iter().cloned());
        self.process = Some(Leashed::start(&file, &arguments, "KILL", None, None));
        until("Redis answers", async || self.try_command(&["PING"]).await.is_some()).await;
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Stops it without ending it (SIGSTOP): connections stay open, and no command gets an answer.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it continue (SIGCONT).
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let group = self.process.as_ref().expect("it runs").shell.id();
        let status = Command::new("kill").args([signal, "--", &format!("-{group}")]).status().expect("kill");
        assert!(status.success(), "{signal} reaches redis-server");
    }

    /// Sends one command over a new connection.
    pub async fn command(&self, words: &[&str]) -> redis::Value {
        self.try_command(words).await.expect("Redis answers")
    }

    async fn try_command(&self, words: &[&str]) -> Option<redis::Value> {
        let client = redis::Client::open(self.url()).expect("a url");
        // A snapshot takes as long as the disk does.
        let patient = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        let mut connection = client.get_multiplexed_async_connection_with_config(&patient).await.ok()?;
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await.ok()
    }

    /// Every key of a login or a user, sorted: all but the note of the last recovery.
    pub async fn keys(&self) -> Vec<String> {
        let value = self.command(&["KEYS", "*"]).await;
        let mut keys: Vec<String> = redis::from_redis_value(value).expect("keys");
        keys.retain(|key| key != "{jvs}:recovered");
        keys.sort();
        keys
    }

    /// The number of commands that it has carried out, the one that reads it included.
    pub async fn commands_processed(&self) -> u64 {
        let value = self.command(&["INFO", "commandstats"]).await;
        let text: String = redis::from_redis_value(value).expect("text");
        let calls = text.lines().filter_map(|line| line.split("calls=").nth(1)?.split(',').next()?.parse::<u64>().ok());
        calls.sum()
    }
}
