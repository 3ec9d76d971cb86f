//! From a socket to requests: what the framework leaves open is closed here.
//!
//! hyper gets no timer from poem, so nothing would end a header that never ends; the sockets have no TCP_NODELAY; and a
//! failing `accept` would spin. The acceptor below sees to all three.

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

/// From the first byte of a request to the first byte of its answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(15);

/// How long a connection may be kept open between two requests.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

/// How much of a request is read before it is answered: a body of 64 KiB, headers of 64 KiB.
const REQUEST_BYTES: usize = 128 * 1024;

/// How many connections are open at once; the next ones wait in the system's queue. Below the usual limit of 1,024 files,
/// so that the stores can always reconnect.
const CONNECTIONS: usize = 768;

/// How many of them one address may hold.
const PER_ADDRESS: usize = 512;

/// How HTTP/2 without TLS begins (RFC 9113, 3.4). Nobody needs it here, and its frames would pass by the limits below.
const HTTP2: &[u8] = b"PRI";

/// How long requests under way may take after a signal to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Answers requests until `stop`, then finishes those under way.
pub async fn serve(
    listener: TcpListener,
    routes: impl Endpoint<Output = Response> + 'static,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let local = listener.local_addr()?;
    let acceptor =
        LimitedAcceptor { listener, local, slots: Arc::new(Semaphore::new(CONNECTIONS)), held: Arc::default() };
    Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(routes, stop, Some(GRACE)).await
}

struct LimitedAcceptor {
    listener: TcpListener,
    local: SocketAddr,
    slots: Arc<Semaphore>,
    held: Arc<TimedConnection>,
}

/// How many connections each address holds.
#[derive(Default)]
struct TimedConnection(Mutex<HashMap<IpAddr, usize>>);

impl TimedConnection {
    /// A place for one more connection of this address, if it has one left.
    fn take(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionSlot> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(address).or_default();
        let free = *count < PER_ADDRESS;
        *count += usize::from(free);
        free.then(|| ConnectionSlot { held: self.clone(), address })
    }
}

/// One connection of an address.
struct ConnectionSlot {
    held: Arc<TimedConnection>,
    address: IpAddr,
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut held = self.held.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.address);
            }
        }
    }
}

impl Acceptor for LimitedAcceptor {
    type Io = Connection;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![LocalAddr(self.local.into())]
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let slot = self.slots.clone().acquire_owned().await.map_err(io::Error::other)?;
        match self.listener.accept().await {
            Ok((socket, peer)) => {
                // Without it an answer in two writes waits for the client's acknowledgement of the first.
                socket.set_nodelay(true)?;
                let place = self.held.take(peer.ip()).ok_or_else(|| io::Error::other("too many connections"))?;
                let connection = Connection::new(socket, (slot, place));
                Ok((connection, LocalAddr(self.local.into()), RemoteAddr(peer.into()), Scheme::HTTP))
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                Err(error)
            }
        }
    }
}

/// What the connection is doing, as far as its bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waiting for a request.
    Idle,
    /// A request is coming in, or is being worked on; so many bytes of it were read.
    Request(usize),
}

/// A socket that gives up on a peer that keeps it waiting.
struct Connection {
    socket: TcpStream,
    phase: Phase,
    deadline: Pin<Box<Sleep>>,
    /// How many bytes of [`HTTP2`] the connection began with; `None` once it began otherwise.
    preface: Option<usize>,
    _slot: (OwnedSemaphorePermit, ConnectionSlot),
}

impl Connection {
    fn new(socket: TcpStream, slot: (OwnedSemaphorePermit, ConnectionSlot)) -> Self {
        // The first request must come as soon as any other must be complete.
        let deadline = Box::pin(sleep_until(Instant::now() + REQUEST_LIMIT));
        Self { socket, phase: Phase::Idle, deadline, preface: Some(0), _slot: slot }
    }

    fn came_in(&mut self, new: &[u8]) -> io::Result<()> {
        let bytes = new.len();
        if let Some(begun) = self.preface {
            let rest = &HTTP2[begun..];
            let same = rest.iter().zip(new).take_while(|(ours, theirs)| ours == theirs).count();
            self.preface = (same == rest.len().min(bytes)).then_some(begun + same);
            if self.preface == Some(HTTP2.len()) {
                return Err(io::Error::other("HTTP/2 without TLS is not spoken here"));
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

    /// A peer that does not read its answer is given up on as well.
    fn went_out(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
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

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.socket).poll_read(cx, buf))?;
        let new = &buf.filled()[before..];
        Poll::Ready(if new.is_empty() { Ok(()) } else { this.came_in(new) })
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write(cx, buf);
        this.went_out(written, cx)
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
        this.went_out(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// On a clock that goes ahead by itself when everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_request_is_waited_for_as_long_as_the_readme_says() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let _client = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
        let (socket, peer) = listener.accept().await.expect("a connection");
        let slot = Arc::new(Semaphore::new(1)).acquire_owned().await.expect("a slot");
        let place = Arc::new(TimedConnection::default()).take(peer.ip()).expect("a place");
        let begun = Instant::now();
        let mut connection = Connection::new(socket, (slot, place));
        let failed = connection.read_u8().await.expect_err("nothing came");
        assert_eq!((failed.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, 15));
    }
}
