//! A connection with deadlines: its client must send requests, and read answers, in time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::connections::ConnectionSlot;
use super::deadline::Deadline;
use super::first_bytes::{FirstBytes, FirstBytesRefusal};
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
    deadline: Deadline,
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
        let deadline = Deadline::new(now + limit);
        Self { socket, slot, shutdown, phase: Phase::Idle(now), deadline, first }
    }

    /// Whether the time is up.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        if let Phase::Idle(since) = self.phase
            && self.shutdown.is_closing()
        {
            self.deadline.set_at_latest(since + LAST_REQUEST);
        }
        self.deadline.is_over(cx)
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
                if refusal == FirstBytesRefusal::NoPlace {
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
                    self.deadline.set(Instant::now() + REQUEST_LIMIT);
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
                self.deadline.set(now + IDLE_LIMIT);
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
            Poll::Pending if self.deadline.is_over(cx) => {
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

    async fn seconds_until_late(mut connection: TimedConnection) -> u64 {
        let begun = Instant::now();
        let failed = connection.read(&mut [0]).await.expect_err("nothing came");
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        begun.elapsed().as_secs()
    }

    /// On a paused clock, which jumps ahead when every task waits.
    #[tokio::test(start_paused = true)]
    async fn a_request_is_waited_for_as_long_as_the_readme_says() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let connect = || TcpStream::connect(listener.local_addr().expect("an address"));
        let _clients = (connect().await.expect("a connection"), connect().await.expect("a connection"));
        let (socket, peer) = listener.accept().await.expect("a connection");
        let trusted_proxies = TrustedProxies::default();
        let limits = ConnectionLimits { per_network: 2, total: 1, reserve: 1, trusted_proxies };
        let connections = Arc::new(Connections::new(limits));
        let Admission::Open(slot) = connections.admit(peer.ip()) else { panic!("no place") };
        let Admission::HealthOnly(reserved) = connections.admit(peer.ip()) else { panic!("no place in reserve") };
        let connection = TimedConnection::new(socket, slot, Arc::default());
        assert_eq!(seconds_until_late(connection).await, 15);
        let (socket, _) = listener.accept().await.expect("a connection");
        let connection = TimedConnection::health_only(socket, reserved, Arc::default());
        assert_eq!(seconds_until_late(connection).await, 1);
    }
}
