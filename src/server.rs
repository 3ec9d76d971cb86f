//! From a socket to requests: what the framework leaves open is closed here.
//!
//! hyper gets no timer from poem, so nothing would end a header that never ends; the sockets have no TCP_NODELAY; and a
//! failing `accept` would spin. The acceptor below sees to all three.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
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

/// How many connections are open at once; the next ones wait in the system's queue.
const CONNECTIONS: usize = 4096;

/// How long requests under way may take after a signal to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Answers requests until `stop`, then finishes those under way.
pub async fn serve(
    listener: TcpListener,
    routes: impl Endpoint<Output = Response> + 'static,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let local = listener.local_addr()?;
    let acceptor = Guarded { listener, local, slots: Arc::new(Semaphore::new(CONNECTIONS)) };
    Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(routes, stop, Some(GRACE)).await
}

struct Guarded {
    listener: TcpListener,
    local: SocketAddr,
    slots: Arc<Semaphore>,
}

impl Acceptor for Guarded {
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
                let connection = Connection::new(socket, slot);
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
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    fn new(socket: TcpStream, slot: OwnedSemaphorePermit) -> Self {
        // The first request must come as soon as any other must be complete.
        let deadline = Box::pin(sleep_until(Instant::now() + REQUEST_LIMIT));
        Self { socket, phase: Phase::Idle, deadline, _slot: slot }
    }

    fn came_in(&mut self, bytes: usize) -> io::Result<()> {
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
        let bytes = buf.filled().len() - before;
        Poll::Ready(if bytes == 0 { Ok(()) } else { this.came_in(bytes) })
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
