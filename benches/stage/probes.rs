//! The probes: the check of a strategy, or the bare read of a store.

use std::sync::Arc;

use jwt_vs_session::auth::AuthStrategy;
use jwt_vs_session::identity::LoginId;
use jwt_vs_session::trace::Trace;
use redis::aio::MultiplexedConnection;
use sea_orm::sqlx::{self, SqlitePool};

use super::logins::OpenLogin;
use super::timing::Probe;

/// `identify`, called on the same object that a server's mount holds.
#[derive(Clone)]
pub struct Identify {
    pub strategy: Arc<dyn AuthStrategy>,
    pub logins: Arc<[OpenLogin]>,
    /// Whether each check keeps a trace. Each request of this server does, for the panel on its page.
    pub traced: bool,
}

impl Identify {
    pub fn new(strategy: Arc<dyn AuthStrategy>, logins: Arc<[OpenLogin]>) -> Self {
        Self { strategy, logins, traced: false }
    }
}

impl Probe for Identify {
    fn count(&self) -> usize {
        self.logins.len()
    }

    async fn send(&self, index: usize) {
        let login = &self.logins[index];
        let trace = if self.traced { Trace::on() } else { Trace::off() };
        login.must_be(&self.strategy.identify(&login.credentials, &trace).await);
    }
}

/// Connects to Redis as the node does: RESP3, TCP_NODELAY.
pub async fn connect(url: &str) -> MultiplexedConnection {
    let info = redis::IntoConnectionInfo::into_connection_info(url).expect("a valid URL");
    let settings = info.redis_settings().clone().set_protocol(redis::ProtocolVersion::RESP3);
    let info = info.set_tcp_settings(redis::io::tcp::TcpSettings::default().set_nodelay(true));
    let client = redis::Client::open(info.set_redis_settings(settings)).expect("a client");
    client.get_multiplexed_async_connection().await.expect("Redis answers")
}

/// A bare `GET` of a record of `session`.
#[derive(Clone)]
pub struct RedisGet {
    connection: MultiplexedConnection,
    keys: Arc<[String]>,
}

impl RedisGet {
    pub async fn new(url: &str, logins: &[OpenLogin]) -> Self {
        let connection = connect(url).await;
        let keys = logins.iter().map(|login| format!("{{jvs}}:s:{}", login.login())).collect();
        Self { connection, keys }
    }
}

impl Probe for RedisGet {
    fn count(&self) -> usize {
        self.keys.len()
    }

    async fn send(&self, index: usize) {
        let mut get = redis::cmd("GET");
        get.arg(&self.keys[index]);
        let text: redis::RedisResult<Option<Vec<u8>>> = get.query_async(&mut self.connection.clone()).await;
        assert!(matches!(&text, Ok(Some(text)) if text.starts_with(b"{\"u\":")), "expected a record: {text:?}");
    }
}

/// A bare prepared `SELECT` of a record of `session-sql`, on the node's own pool.
#[derive(Clone)]
pub struct SqlSelect {
    pool: SqlitePool,
    logins: Arc<[OpenLogin]>,
}

impl SqlSelect {
    pub fn new(pool: SqlitePool, logins: Arc<[OpenLogin]>) -> Self {
        Self { pool, logins }
    }
}

impl Probe for SqlSelect {
    fn count(&self) -> usize {
        self.logins.len()
    }

    async fn send(&self, index: usize) {
        let login: &LoginId = self.logins[index].login();
        let select = sqlx::query_scalar("SELECT record FROM sessions WHERE login = ?").bind(login.as_str());
        let text: sqlx::Result<String> = select.fetch_one(&self.pool).await;
        assert!(matches!(&text, Ok(text) if text.starts_with("{\"u\":")), "expected a record: {text:?}");
    }
}
