//! A connection with deadlines: its client must send requests, and read answers, in time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::connections::ConnectionSlot;
use super::first_bytes::{FirstBytes, Refusal};
use super::shutdown::Shutdown;

/// The longest time from the first byte of a request to the first byte of its answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(15);

/// The longest time between two requests of a connection.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

/// The same once the port is closed: a client that sends requests sends the next one sooner, and gets its answer.
const LAST_REQUEST: Duration = Duration::from_secs(1);

/// The longest time until the request of a connection in the reserve.
const RESERVE_LIMIT: Duration = Duration::from_secs(1);

/// The most bytes that a request may send before its answer: a body of 64 KiB, headers of 64 KiB.
const REQUEST_BYTES: usize = 128 * 1024;

/// The answer to any other request in the reserve.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 57\r\n\r\n\
    The server has as many connections as it can. Try again.\n";

/// What the connection is doing, as its bytes show. An event stream counts as idle between two events: its browser
/// connects again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waiting for a request since then.
    Idle(Instant),
    /// A request is coming in or being answered. Holds the number of its bytes so far.
    Request(usize),
}

/// A socket that closes when its peer keeps it waiting, or when its place is needed.
pub(super) struct TimedConnection {
    socket: TcpStream,
    slot: ConnectionSlot,
    shutdown: Arc<Shutdown>,
    phase: Phase,
    deadline: Pin<Box<Sleep>>,
    first: FirstBytes,
}

impl TimedConnection {
    /// A connection for any request. The first must begin within [`REQUEST_LIMIT`], not [`IDLE_LIMIT`].
    pub fn new(socket: TcpStream, slot: ConnectionSlot, shutdown: Arc<Shutdown>) -> Self {
        Self::with(socket, slot, shutdown, (FirstBytes::ANY, REQUEST_LIMIT))
    }

    /// A connection for `/healthz` alone.
    pub fn health_only(socket: TcpStream, slot: ConnectionSlot, shutdown: Arc<Shutdown>) -> Self {
        Self::with(socket, slot, shutdown, (FirstBytes::HEALTH_ONLY, RESERVE_LIMIT))
    }

    fn with(
        socket: TcpStream,
        slot: ConnectionSlot,
        shutdown: Arc<Shutdown>,
        (first, limit): (FirstBytes, Duration),
    ) -> Self {
        let now = Instant::now();
        let deadline = Box::pin(sleep_until(now + limit));
        Self { socket, slot, shutdown, phase: Phase::Idle(now), deadline, first }
    }

    /// Whether the time is up.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        if let Phase::Idle(since) = self.phase
            && self.shutdown.is_closing()
        {
            let soon = since + LAST_REQUEST;
            if soon < self.deadline.deadline() {
                self.deadline.as_mut().reset(soon);
            }
        }
        self.deadline.as_mut().poll(cx).is_ready()
    }

    /// Fails if the connection is idle and no request may follow.
    fn go_on(&self, cx: &Context<'_>) -> io::Result<()> {
        if matches!(self.phase, Phase::Request(_)) {
            return Ok(());
        }
        // Before the look: whoever changes what it sees wakes this task afterwards.
        self.slot.state.waker.register(cx.waker());
        if self.is_last() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }

    /// Whether no request may follow. One that has come is not read: its connection no longer counts.
    fn is_last(&self) -> bool {
        self.first == FirstBytes::Health || self.slot.state.is_asked_to_end()
    }

    fn count_read(&mut self, new: &[u8]) -> io::Result<()> {
        match self.first.read(new) {
            Ok(first) => self.first = first,
            Err(refusal) => {
                if refusal == Refusal::NoPlace {
                    self.turn_away();
                }
                return Err(io::Error::other(refusal.reason()));
            }
        }
        let read = match self.phase {
            Phase::Idle(_) => {
                self.slot.busy();
                // A place of the reserve is not for whoever sends slowly.
                if !self.first.are_of_the_reserve() {
                    self.deadline.as_mut().reset(Instant::now() + REQUEST_LIMIT);
                }
                new.len()
            }
            Phase::Request(read) => read + new.len(),
        };
        self.phase = Phase::Request(read);
        if read > REQUEST_BYTES { Err(io::Error::other("the request is too large")) } else { Ok(()) }
    }

    /// Answers that there is no place. Reads the rest of a request first: with bytes unread, the system would throw the
    /// answer away.
    fn turn_away(&self) {
        let mut rest = [0; 16 * 1024];
        let _ = self.socket.try_read(&mut rest);
        let _ = self.socket.try_write(NO_PLACE);
    }

    /// `offered`: how many bytes there were to write, and the first of them. Also closes on a peer that does not read its
    /// answer.
    fn count_written(
        &mut self,
        written: Poll<io::Result<usize>>,
        (offered, head): (usize, &[u8]),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                let now = Instant::now();
                self.deadline.as_mut().reset(now + IDLE_LIMIT);
                // After a part of an answer the rest comes at once, and after 100 Continue the rest of the request.
                if bytes == offered && !head.starts_with(b"HTTP/1.1 100 ") {
                    self.phase = Phase::Idle(now);
                    self.slot.idle(now);
                    if self.is_last() || self.shutdown.is_closing() {
                        // The task may have read before it wrote: it must look at the deadline once more.
                        cx.waker().wake_by_ref();
                    }
                }
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
    /// Fails if the connection must end: at the end of its input alone hyper would go on with an event stream. A request that
    /// came in time is read.
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.go_on(cx)?;
        let is_late = this.is_late(cx);
        if is_late && matches!(this.phase, Phase::Request(_)) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buf.filled().len();
        match Pin::new(&mut this.socket).poll_read(cx, buf) {
            Poll::Pending if is_late => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            other => ready!(other)?,
        }
        let new = &buf.filled()[before..];
        Poll::Ready(if new.is_empty() { Ok(()) } else { this.count_read(new) })
    }
}

impl AsyncWrite for TimedConnection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write(cx, buf);
        this.count_written(written, (buf.len(), buf), cx)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Also here: hyper does not read while it has bytes of a further request.
        this.go_on(cx)?;
        Pin::new(&mut this.socket).poll_flush(cx)
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
        let offered = bufs.iter().map(|buf| buf.len()).sum();
        this.count_written(written, (offered, bufs.first().map_or(&[], |buf| &**buf)), cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::super::connections::{Admission, ConnectionLimits, Connections};
    use super::*;
    use crate::network::TrustedProxies;

    /// On a paused clock, which jumps ahead when every task waits.
    #[tokio::test(start_paused = true)]
    async fn a_request_is_waited_for_as_long_as_the_readme_says() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let _client = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
        let (socket, peer) = listener.accept().await.expect("a connection");
        let limits =
            ConnectionLimits { per_network: 1, total: 1, reserve: 0, trusted_proxies: TrustedProxies::default() };
        let Admission::Open(slot) = Arc::new(Connections::new(limits)).admit(peer.ip()) else { panic!("no place") };
        let begun = Instant::now();
        let mut connection = TimedConnection::new(socket, slot, Arc::default());
        let failed = connection.read(&mut [0]).await.expect_err("nothing came");
        assert_eq!((failed.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, 15));
    }
}
