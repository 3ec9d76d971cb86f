//! The client: connections that stay open, each with one request in flight.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::stage::timing::finished;

/// The bytes of a request, and the user whose name the answer must hold.
pub struct PreparedRequest {
    bytes: Vec<u8>,
    user: &'static str,
}

impl PreparedRequest {
    /// `cookie` is a line such as `name=value`.
    pub fn get(address: SocketAddr, path: &str, cookie: &str, user: &'static str) -> Self {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
        let text = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: {agent}\r\ncookie: {cookie}\r\n\r\n");
        Self { bytes: text.into_bytes(), user }
    }
}

pub struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.expect("a connection");
        socket.set_nodelay(true).expect("no delay");
        Self { socket, buffer: vec![0; 1 << 16] }
    }

    /// Sends a request and returns the body of the answer. Panics unless it is the user's own.
    pub async fn send(&mut self, request: &PreparedRequest) -> &[u8] {
        self.socket.write_all(&request.bytes).await.expect("the server reads");
        let mut end = 0;
        while body(&self.buffer[..end]).is_none() {
            let read = self.socket.read(&mut self.buffer[end..]).await.expect("the server answers");
            assert!(read > 0, "the connection ends in the middle of an answer");
            end += read;
        }
        let answer = &self.buffer[..end];
        let body = body(answer).expect("a body");
        let is_users_own =
            answer.starts_with(b"HTTP/1.1 200 ") && memmem::find(body, request.user.as_bytes()).is_some();
        assert!(is_users_own, "not an answer to {}: {}", request.user, String::from_utf8_lossy(answer));
        body
    }

    async fn repeat(
        mut self,
        requests: Arc<[PreparedRequest]>,
        index: usize,
        time: Duration,
    ) -> (usize, Self, Vec<f64>) {
        let (begun, mut latencies) = (Instant::now(), Vec::new());
        let mut now = begun;
        while now - begun < time {
            self.send(&requests[index]).await;
            let after = Instant::now();
            latencies.push((after - now).as_secs_f64() * 1e9);
            now = after;
        }
        (index, self, latencies)
    }
}

/// The body of a whole answer. `None` if a part is missing.
fn body(answer: &[u8]) -> Option<&[u8]> {
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let head = memmem::find(answer, b"\r\n\r\n")?;
    let length = memmem::find(&answer[..head], LENGTH).expect("a content-length") + LENGTH.len();
    let digits = answer[length..].iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
    answer.get(head + 4..)?.get(..length)
}

/// Each connection sends its request again and again until the time is over. Returns the latencies in nanoseconds.
pub async fn closed_loop(
    connections: &mut Vec<Connection>,
    requests: &Arc<[PreparedRequest]>,
    time: Duration,
) -> Vec<f64> {
    let mut running = JoinSet::new();
    for (index, connection) in connections.drain(..).enumerate() {
        running.spawn(connection.repeat(requests.clone(), index, time));
    }
    let (mut ended, mut all) = (Vec::new(), Vec::new());
    while let Some(one) = running.join_next().await {
        let (index, connection, latencies) = finished(one);
        ended.push((index, connection));
        all.extend(latencies);
    }
    ended.sort_by_key(|(index, _)| *index);
    connections.extend(ended.into_iter().map(|(_, connection)| connection));
    all
}
