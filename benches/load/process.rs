//! A server as a process of its own, on a core of its own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::client::Connection;
use crate::common::program;
use crate::stage::processor::ProcessorTime;

/// The first line of a server's output begins with it. The address follows.
pub const LISTENING: &str = "listening on http://";

/// Ends when it is dropped, and when this process ends.
pub struct ServerProcess {
    child: Child,
    /// Open, so that the server may write on.
    _output: BufReader<ChildStdout>,
    pub address: SocketAddr,
    pub connections: Vec<Connection>,
}

impl ServerProcess {
    /// Starts a program with one worker thread. Its log and its files go to `folder`.
    pub async fn start(file: &Path, arguments: &[&str], core: Option<&str>, folder: &Path, connections: usize) -> Self {
        let pinned = core.map_or_else(Vec::new, |core| vec!["taskset", "--cpu-list", core]);
        let log = folder.join("log");
        let mut command = Command::new(program("setpriv", &[], "apt-get install util-linux"));
        command.args(["--pdeathsig", "KILL"]).args(pinned).arg(file).args(arguments).current_dir(folder);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TOKIO_WORKER_THREADS", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log).expect("a file"));
        let mut child = command.spawn().expect("setpriv starts");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        output.read_line(&mut line).expect("text");
        let address = line.strip_prefix(LISTENING).and_then(|address| address.trim().parse().ok());
        let address = address.unwrap_or_else(|| panic!("no server: {}", fs::read_to_string(log).unwrap_or_default()));
        let mut this = Self { child, _output: output, address, connections: Vec::new() };
        for _ in 0..connections {
            this.connections.push(Connection::open(address).await);
        }
        this
    }

    pub fn processor_time(&self) -> ProcessorTime {
        ProcessorTime::of(&self.child.id().to_string())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
