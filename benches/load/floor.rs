//! The floors: bare poem servers, each in a process of its own, which this program starts with `--floor`.

use std::io::Write as _;

use clap::ValueEnum;
use jwt_vs_session::clock::Timestamp;
use jwt_vs_session::identity::UserId;
use poem::http::StatusCode;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{Endpoint, EndpointExt as _, Request, Response, Server};
use redis::aio::MultiplexedConnection;
use serde::Deserialize;
use tokio::runtime::Builder;

use super::process::LISTENING;
use crate::stage::bare::{BareJson, BarePage, Decoder, Me, cookie};
use crate::stage::{SECRET, probes};

#[derive(Clone, Copy, ValueEnum)]
pub enum Floor {
    /// As `/jwt/api/me`.
    Json,
    /// A page with as many bytes as `/jwt/profile`.
    Page,
    /// As `/session/api/me`.
    Session,
}

/// Serves until somebody ends the process. `padding` is for the page, `redis_url` for the session.
pub fn serve(floor: Floor, padding: usize, redis_url: &str) {
    // As the server does, which has one worker in this bench.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let decoder = Decoder::new(SECRET);
        let endpoint = match floor {
            Floor::Json => BareJson(decoder).boxed(),
            Floor::Page => BarePage::new(decoder, padding).boxed(),
            Floor::Session => BareSession(probes::connect(redis_url).await).boxed(),
        };
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("a port");
        let address = acceptor.local_addr()[0].0.clone();
        let mut out = std::io::stdout();
        writeln!(out, "{LISTENING}{}", address.as_socket_addr().expect("an address")).expect("an output");
        Server::new_with_acceptor(acceptor).run(endpoint).await.expect("it serves");
    });
}

/// The key of a floor's record.
pub fn key(id: &str) -> String {
    format!("floor:{id}")
}

/// One `GET`, and the answer of `/session/api/me`.
struct BareSession(MultiplexedConnection);

/// The part of a session's record that the answer needs.
#[derive(Deserialize)]
struct SessionRecord {
    u: UserId,
    n: String,
    r: String,
    i: i64,
    e: i64,
}

/// A record in the form of a session's.
pub fn record(user: &str, now: i64) -> String {
    let (id, end) = (UserId::random(), now + 11 * 3_600_000);
    format!(
        r#"{{"u":"{id}","n":"{user}","r":"user","i":{now},"s":{now},"e":{end},"a":{end},"d":"Firefox on Linux","p":"127.0.0.1"}}"#
    )
}

impl Endpoint for BareSession {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let id = cookie(&request)?;
        let mut get = redis::cmd("GET");
        get.arg(key(id));
        let found: redis::RedisResult<Vec<u8>> = get.query_async(&mut self.0.clone()).await;
        let unavailable = |_| poem::Error::from_status(StatusCode::SERVICE_UNAVAILABLE);
        let found = found.map_err(unavailable)?;
        let broken = |_| poem::Error::from_status(StatusCode::INTERNAL_SERVER_ERROR);
        let SessionRecord { u, n, r, i, e } = serde_json::from_slice(&found).map_err(broken)?;
        let (issued_at, expires_at) = (Timestamp::from_millis(i).to_string(), Timestamp::from_millis(e).to_string());
        let me = Me { user_id: &u, username: &n, role: &r, strategy: "session", login_id: id, issued_at, expires_at };
        Ok(me.response())
    }
}
