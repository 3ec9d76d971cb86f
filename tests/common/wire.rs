//! An HTTP/1.1 connection that sends exactly the given bytes, also those that no client library would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// One connection, open from one request to the next.
pub struct Wire(BufStream<TcpStream>);

/// The answer to a request.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    /// The lines of the header, the names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Wire {
    pub async fn open(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.expect("a connection"))
    }

    pub fn over(socket: TcpStream) -> Self {
        socket.set_nodelay(true).expect("no delay");
        Self(BufStream::new(socket))
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.expect("the server reads");
    }

    /// Fails if the server has closed the connection.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.0.write_all(bytes.as_ref()).await?;
        self.0.flush().await
    }

    /// Sends a `GET` with this `Cookie` line, which may be empty.
    pub async fn get(&mut self, path: &str, cookie: &str) -> Reply {
        let cookie = if cookie.is_empty() { String::new() } else { format!("cookie: {cookie}\r\n") };
        self.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{cookie}\r\n")).await;
        self.reply().await
    }

    /// Reads the next answer, which must have a `Content-Length` or no body.
    pub async fn reply(&mut self) -> Reply {
        self.reply_or_end().await.expect("an answer before the end of the connection")
    }

    /// `None` if the server closes the connection instead.
    pub async fn reply_or_end(&mut self) -> Option<Reply> {
        self.reply_or_end_within(PATIENCE).await
    }

    pub async fn reply_or_end_within(&mut self, patience: Duration) -> Option<Reply> {
        timeout(patience, self.read()).await.expect("an answer in time")
    }

    /// Reads until the server closes the connection, whatever it sends.
    pub async fn ended(mut self) {
        let mut rest = Vec::new();
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("the end in time");
    }

    async fn read(&mut self) -> Option<Reply> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.unwrap_or(0) == 0 {
                return None;
            }
            if line == "\r\n" {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        let status = lines.remove(0).split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let pair = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let mut reply = Reply { status, headers: lines.iter().filter_map(pair).collect(), body: String::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.ok()?;
        reply.body = String::from_utf8(body).expect("text");
        Some(reply)
    }
}
