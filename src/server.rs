//! Accepts connections, with the limits that poem lacks.
//!
//! poem gives hyper no timer, so a header that never ends would keep its connection open. It sets no TCP_NODELAY, and a
//! failing `accept` would loop without a pause. The acceptor below adds the limits, the option and the pause.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response, Server};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep_until};

/// The longest time from the first byte of a request to the first byte of its answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(15);

/// The longest time between two requests of a connection.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

/// The most bytes that a request may send before its answer: a body of 64 KiB, headers of 64 KiB.
const REQUEST_BYTES: usize = 128 * 1024;

/// The most connections at once; the next ones wait in the system's queue. Below the usual limit of 1,024 open files, so
/// that the stores can always reconnect.
const CONNECTIONS: usize = 768;

/// The most connections of one IP address at once.
const PER_ADDRESS: usize = 512;

/// The first bytes of HTTP/2 without TLS (RFC 9113, 3.4). Nobody needs it here, and its frames would evade the limits
/// below.
const HTTP2: &[u8] = b"PRI";

/// The longest that requests under way may take after a signal to stop.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// Answers requests until `stop`, then finishes those under way.
pub async fn serve(
    listener: TcpListener,
    routes: impl Endpoint<Output = Response> + 'static,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let local = listener.local_addr()?;
    let acceptor =
        LimitedAcceptor { listener, local, slots: Arc::new(Semaphore::new(CONNECTIONS)), counts: Arc::default() };
    Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(routes, stop, Some(SHUTDOWN_LIMIT)).await
}

struct LimitedAcceptor {
    listener: TcpListener,
    local: SocketAddr,
    slots: Arc<Semaphore>,
    counts: Arc<AddressCounts>,
}

/// The number of connections of each IP address.
#[derive(Default)]
struct AddressCounts(Mutex<HashMap<IpAddr, usize>>);

impl AddressCounts {
    /// Counts one more connection of this address; `None` if it has too many.
    fn take(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionSlot> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        let free = *count < PER_ADDRESS;
        *count += usize::from(free);
        free.then(|| ConnectionSlot { counts: self.clone(), address })
    }
}

/// One counted connection of an address, until it is dropped.
struct ConnectionSlot {
    counts: Arc<AddressCounts>,
    address: IpAddr,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

impl Acceptor for LimitedAcceptor {
    type Io = TimedConnection;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![LocalAddr(self.local.into())]
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let slot = self.slots.clone().acquire_owned().await.map_err(io::Error::other)?;
        match self.listener.accept().await {
            Ok((socket, peer)) => {
                // Without it an answer in two writes waits for the client's acknowledgement of the first.
                socket.set_nodelay(true)?;
                let counted = self.counts.take(peer.ip()).ok_or_else(|| io::Error::other("too many connections"))?;
                let connection = TimedConnection::new(socket, (slot, counted));
                Ok((connection, LocalAddr(self.local.into()), RemoteAddr(peer.into()), Scheme::HTTP))
            }
            Err(error) => {
                tracing::warn!(%error, "the server could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(error)
            }
        }
    }
}

/// What the connection is doing, as its bytes show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waiting for a request.
    Idle,
    /// A request is coming in or being answered. Holds the number of its bytes so far.
    Request(usize),
}

/// A socket that closes when its peer keeps it waiting.
struct TimedConnection {
    socket: TcpStream,
    phase: Phase,
    deadline: Pin<Box<Sleep>>,
    /// The bytes of [`HTTP2`] that the connection began with; `None` once it began otherwise.
    preface: Option<usize>,
    _slot: (OwnedSemaphorePermit, ConnectionSlot),
}

impl TimedConnection {
    fn new(socket: TcpStream, slot: (OwnedSemaphorePermit, ConnectionSlot)) -> Self {
        // The first request must begin within REQUEST_LIMIT, not IDLE_LIMIT.
        let deadline = Box::pin(sleep_until(Instant::now() + REQUEST_LIMIT));
        Self { socket, phase: Phase::Idle, deadline, preface: Some(0), _slot: slot }
    }

    fn count_read(&mut self, new: &[u8]) -> io::Result<()> {
        let bytes = new.len();
        if let Some(begun) = self.preface {
            let rest = &HTTP2[begun..];
            let same = rest.iter().zip(new).take_while(|(ours, theirs)| ours == theirs).count();
            self.preface = (same == rest.len().min(bytes)).then_some(begun + same);
            if self.preface == Some(HTTP2.len()) {
                return Err(io::Error::other("the server does not speak HTTP/2 without TLS"));
            }
        }
        let read = match self.phase {
            Phase::Idle => {
                self.deadline.as_mut().reset(Instant::now() + REQUEST_LIMIT);
                bytes
            }
            Phase::Request(read) => read + bytes,
        };
        self.phase = Phase::Request(read);
        if read > REQUEST_BYTES { Err(io::Error::other("the request is too large")) } else { Ok(()) }
    }

    /// Also closes on a peer that does not read its answer.
    fn count_written(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(_)) => {
                self.phase = Phase::Idle;
                self.deadline.as_mut().reset(Instant::now() + IDLE_LIMIT);
            }
            Poll::Pending if self.deadline.as_mut().poll(cx).is_ready() => {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            _ => {}
        }
        written
    }
}

impl AsyncRead for TimedConnection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.socket).poll_read(cx, buf))?;
        let new = &buf.filled()[before..];
        Poll::Ready(if new.is_empty() { Ok(()) } else { this.count_read(new) })
    }
}

impl AsyncWrite for TimedConnection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write(cx, buf);
        this.count_written(written, cx)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write_vectored(cx, bufs);
        this.count_written(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// On a paused clock, which jumps ahead when every task waits.
    #[tokio::test(start_paused = true)]
    async fn a_request_is_waited_for_as_long_as_the_readme_says() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let _client = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
        let (socket, peer) = listener.accept().await.expect("a connection");
        let slot = Arc::new(Semaphore::new(1)).acquire_owned().await.expect("a slot");
        let counted = Arc::new(AddressCounts::default()).take(peer.ip()).expect("a slot");
        let begun = Instant::now();
        let mut connection = TimedConnection::new(socket, (slot, counted));
        let failed = connection.read_u8().await.expect_err("nothing came");
        assert_eq!((failed.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, 15));
    }
}
