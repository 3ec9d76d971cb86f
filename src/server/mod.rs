//! Accepts connections, with the limits that poem lacks, and stops without losing a request.
//!
//! poem gives hyper no timer, so a header that never ends would keep its connection open. It sets no TCP_NODELAY, and a
//! failing `accept` would loop without a pause. Its stop closes idle connections at once, also those on which a request is
//! on its way. `connections.rs` has the limits, `timed.rs` the deadlines of a connection, `shutdown.rs` the steps of a stop.

mod connections;
mod deadline;
mod first_bytes;
mod shutdown;
mod timed;

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::http::{HeaderValue, header};
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Request, Response, Server};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

pub use self::connections::ConnectionLimits;
use self::connections::{Admission, Connections};
pub use self::shutdown::Shutdown;
use self::timed::TimedConnection;

/// The time between the announcement of a stop and the closed port: clients hear of it in an answer, a load balancer by
/// `/readyz`.
const NOTICE: Duration = Duration::from_secs(1);

/// The longest that requests under way may take once the port is closed.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// Answers requests until `stop`, which announces the end, then finishes those under way.
pub async fn serve(
    listener: TcpListener,
    routes: impl Endpoint<Output = Response> + 'static,
    limits: ConnectionLimits,
    shutdown: Arc<Shutdown>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let local = listener.local_addr()?;
    let connections = Arc::new(Connections::new(limits));
    let routes = AnnouncingStop { routes, shutdown: shutdown.clone() };
    let port = Port::Open(listener);
    let acceptor = LimitedAcceptor { port, local, connections: connections.clone(), shutdown: shutdown.clone() };
    let ended = async {
        stop.await;
        // Without a connection there is nobody to tell.
        if connections.are_open() {
            sleep(NOTICE).await;
        }
        shutdown.close_port();
        connections.wake_all();
        let last_ends = async {
            shutdown.port_closed().await;
            connections.all_ended().await;
        };
        // Whoever takes longer gets no answer.
        let _ = timeout(SHUTDOWN_LIMIT, last_ends).await;
    };
    Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(routes, ended, Some(Duration::ZERO)).await
}

/// The routes. Once a stop is announced, each answer ends its connection.
struct AnnouncingStop<E> {
    routes: E,
    shutdown: Arc<Shutdown>,
}

impl<E: Endpoint<Output = Response>> Endpoint for AnnouncingStop<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let mut response = self.routes.call(request).await?;
        if self.shutdown.is_announced() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

struct LimitedAcceptor {
    port: Port,
    local: SocketAddr,
    connections: Arc<Connections>,
    shutdown: Arc<Shutdown>,
}

enum Port {
    Open(TcpListener),
    /// The system has accepted further connections already, and their clients may have sent a request.
    Closing(std::net::TcpListener),
    Closed,
}

impl Acceptor for LimitedAcceptor {
    type Io = TimedConnection;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![LocalAddr(self.local.into())]
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        loop {
            self.connections.place().await;
            let (socket, peer) = self.next().await?;
            let (slot, open): (_, fn(_, _, _) -> _) = match self.connections.admit(peer.ip()) {
                Admission::Open(slot) => (slot, TimedConnection::new),
                Admission::HealthOnly(slot) => (slot, TimedConnection::health_only),
                Admission::Refused => continue,
            };
            // Without it an answer in two writes waits for the client's acknowledgement of the first.
            socket.set_nodelay(true)?;
            let connection = open(socket, slot, self.shutdown.clone());
            return Ok((connection, LocalAddr(self.local.into()), RemoteAddr(peer.into()), Scheme::HTTP));
        }
    }
}

impl LimitedAcceptor {
    /// Waits for the next connection. Never returns once the port is closed.
    async fn next(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        loop {
            self.port = match std::mem::replace(&mut self.port, Port::Closed) {
                Port::Open(listener) => match next_unless_closing(&listener, &self.shutdown).await {
                    Some(accepted) => {
                        self.port = Port::Open(listener);
                        return accepted;
                    }
                    None => Port::Closing(listener.into_std()?),
                },
                Port::Closing(listener) => match listener.accept() {
                    Ok((socket, peer)) => {
                        self.port = Port::Closing(listener);
                        socket.set_nonblocking(true)?;
                        return Ok((TcpStream::from_std(socket)?, peer));
                    }
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => Port::Closing(listener),
                    Err(_) => Port::Closed,
                },
                Port::Closed => {
                    self.shutdown.port_is_closed();
                    pending().await
                }
            };
        }
    }
}

/// Waits for the next connection. `None`: the port must be closed.
async fn next_unless_closing(
    listener: &TcpListener,
    shutdown: &Shutdown,
) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    let accepted = tokio::select! {
        accepted = listener.accept() => accepted,
        () = shutdown.closing() => return None,
    };
    if let Err(error) = &accepted {
        tracing::warn!(%error, "the server could not accept a connection");
        sleep(Duration::from_millis(50)).await;
    }
    Some(accepted)
}

#[cfg(test)]
mod tests;
