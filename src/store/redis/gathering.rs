//! A connection whose commands in flight share their system calls.
//!
//! tokio runs the task of a connection right after the first command is queued, before the other requests that are about
//! to queue one. Then each command is a write of its own here, and a read of its own in Redis. So the task of this
//! connection first lets every task run that is ready.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::select_ok;
use futures_util::{pending, poll};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, RedisError, RedisResult};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::task::JoinSet;

/// A connection that many requests share. Clones use the same one.
#[derive(Clone)]
pub(super) struct GatheringConnection {
    pub commands: MultiplexedConnection,
    /// Ends with the last clone. Empty for a connection over TLS.
    _task: Arc<JoinSet<()>>,
}

impl GatheringConnection {
    /// Connects. Over TLS, which the library sets up together with its own task, commands do not share system calls.
    pub async fn open(client: &Client, config: &AsyncConnectionConfig) -> RedisResult<Self> {
        match client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) => {
                // All at once: one that does not answer would take the time of the others.
                let addresses: Vec<_> = lookup_host((host.as_str(), *port)).await?.collect();
                let no_address = || RedisError::from((ErrorKind::InvalidClientConfig, "the host has no address"));
                let connecting = addresses.into_iter().map(|address| Box::pin(TcpStream::connect(address)));
                let first = Some(connecting.collect::<Vec<_>>()).filter(|all| !all.is_empty()).map(select_ok);
                let (socket, _) = first.ok_or_else(no_address)?.await?;
                // Otherwise a command waits for the acknowledgement of the one before it.
                socket.set_nodelay(true)?;
                Self::over(socket, client, config).await
            }
            ConnectionAddr::Unix(path) => Self::over(UnixStream::connect(path).await?, client, config).await,
            _ => {
                let commands = client.get_multiplexed_async_connection_with_config(config).await?;
                Ok(Self { commands, _task: Arc::default() })
            }
        }
    }

    async fn over<S>(socket: S, client: &Client, config: &AsyncConnectionConfig) -> RedisResult<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let settings = client.get_connection_info().redis_settings();
        let (commands, work) = MultiplexedConnection::new_with_config(settings, socket, config.clone()).await?;
        let mut task = JoinSet::new();
        task.spawn(gathering(work));
        Ok(Self { commands, _task: Arc::new(task) })
    }
}

/// Does the work of a connection. Whenever there is some, it waits until no other task of this worker is ready.
async fn gathering(work: impl Future<Output = ()>) {
    let mut work = pin!(work);
    while poll!(work.as_mut()).is_pending() {
        pending!();
        tokio::task::yield_now().await;
    }
}
