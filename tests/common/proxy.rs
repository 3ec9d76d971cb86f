//! A proxy in front of Redis that is slow on purpose: it holds commands, answers or pushes back until the test releases
//! them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::PATIENCE;

/// What the proxy holds back. A command and its answer are small enough to arrive in one piece on loopback.
#[derive(Clone, Default)]
pub struct Hold {
    /// Commands that contain this text.
    pub commands: Option<String>,
    /// Answers on a connection, from the first command with this text on. Other connections continue.
    pub answers_to: Option<String>,
    /// Pushed invalidations, and every answer behind one.
    pub pushes: bool,
    /// Every answer and every push. Commands arrive.
    pub everything: bool,
}

impl Hold {
    pub fn commands(text: &impl ToString) -> Self {
        Self { commands: Some(text.to_string()), ..Self::default() }
    }

    pub fn answers_to(text: &impl ToString) -> Self {
        Self { answers_to: Some(text.to_string()), ..Self::default() }
    }

    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    pub fn pushes() -> Self {
        Self { pushes: true, ..Self::default() }
    }

    fn stops_command(&self, piece: &[u8]) -> bool {
        self.commands.as_ref().is_some_and(|text| contains(piece, text))
    }

    fn stops_answer_to(&self, piece: &[u8]) -> bool {
        self.answers_to.as_ref().is_some_and(|text| contains(piece, text))
    }

    fn stops_push(&self, piece: &[u8]) -> bool {
        self.everything || (self.pushes && contains(piece, "invalidate"))
    }
}

/// Ends with the test.
pub struct Proxy {
    address: SocketAddr,
    gate: Gate,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Gate {
    hold: watch::Sender<Hold>,
    /// The number of commands and answers held back. Pushes are not counted.
    stopped: watch::Sender<usize>,
}

impl Proxy {
    /// Starts a proxy in front of a port of loopback.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let gate = Gate { hold: watch::Sender::new(Hold::default()), stopped: watch::Sender::new(0) };
        let task = tokio::spawn(accept(listener, port, gate.clone()));
        Self { address, gate, task }
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Holds back from now on, and releases everything else.
    pub fn hold(&self, what: Hold) {
        self.gate.stopped.send_replace(0);
        self.gate.hold.send_replace(what);
    }

    /// Waits until a command or an answer is held back.
    pub async fn stopped(&self) {
        let mut stopped = self.gate.stopped.subscribe();
        let held = timeout(PATIENCE, stopped.wait_for(|count| *count > 0)).await;
        held.expect("something is held back in time").expect("the proxy runs");
    }

    pub fn release(&self) {
        self.gate.hold.send_replace(Hold::default());
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Gate {
    /// Waits until the test no longer holds this back.
    async fn pass(&self, stops: impl Fn(&Hold) -> bool, counts: bool) {
        let mut hold = self.hold.subscribe();
        if stops(&hold.borrow_and_update()) && counts {
            self.stopped.send_modify(|count| *count += 1);
        }
        let _ = hold.wait_for(|hold| !stops(hold)).await;
    }
}

async fn accept(listener: TcpListener, port: u16, gate: Gate) {
    let mut directions = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("a connection");
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
        for socket in [&client, &server] {
            socket.set_nodelay(true).expect("no delay");
        }
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        let hold_answer = Arc::new(AtomicBool::new(false));
        directions.spawn(commands(from_client, to_server, gate.clone(), hold_answer.clone()));
        directions.spawn(answers(from_server, to_client, gate.clone(), hold_answer));
    }
}

/// Sets `hold_answer` at a command whose answer the test holds back.
async fn commands(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, gate: Gate, hold_answer: Arc<AtomicBool>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let piece = &buffer[..length];
        hold_answer.fetch_or(gate.hold.borrow().stops_answer_to(piece), Ordering::SeqCst);
        gate.pass(|hold| hold.stops_command(piece), true).await;
        if to.write_all(piece).await.is_err() {
            return;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, gate: Gate, hold_answer: Arc<AtomicBool>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let piece = &buffer[..length];
        gate.pass(|hold| hold.stops_push(piece), false).await;
        gate.pass(|hold| hold.answers_to.is_some() && hold_answer.load(Ordering::SeqCst), true).await;
        if gate.hold.borrow().answers_to.is_none() {
            hold_answer.store(false, Ordering::SeqCst);
        }
        if to.write_all(piece).await.is_err() {
            return;
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
