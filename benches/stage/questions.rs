//! What is asked: a strategy, or one of the stores bare.

use std::sync::Arc;

use jwt_vs_session::auth::AuthStrategy;
use jwt_vs_session::identity::LoginId;
use jwt_vs_session::trace::Trace;
use redis::aio::MultiplexedConnection;
use sea_orm::sqlx::{self, SqlitePool};

use super::logins::Opened;
use super::timing::Question;

/// `identify`, by the very object that a server's mount holds.
#[derive(Clone)]
pub struct Identify {
    pub strategy: Arc<dyn AuthStrategy>,
    pub logins: Arc<[Opened]>,
    /// Whether each question has a trace of its own. Each request of this server has one, for the panel on its page; a
    /// check by itself needs none.
    pub traced: bool,
}

impl Identify {
    pub fn new(strategy: Arc<dyn AuthStrategy>, logins: Arc<[Opened]>) -> Self {
        Self { strategy, logins, traced: false }
    }
}

impl Question for Identify {
    fn places(&self) -> usize {
        self.logins.len()
    }

    async fn ask(&self, place: usize) {
        let login = &self.logins[place];
        let trace = if self.traced { Trace::on() } else { Trace::off() };
        login.must_be(&self.strategy.identify(&login.credentials, &trace).await);
    }
}

/// A bare `GET` of the keys of `session`.
#[derive(Clone)]
pub struct RedisGet {
    connection: MultiplexedConnection,
    keys: Arc<[String]>,
}

impl RedisGet {
    /// On a connection like the node's: RESP3, no delay.
    pub async fn new(url: &str, logins: &[Opened]) -> Self {
        let info = redis::IntoConnectionInfo::into_connection_info(url).expect("a good url");
        let settings = info.redis_settings().clone().set_protocol(redis::ProtocolVersion::RESP3);
        let info = info.set_tcp_settings(redis::io::tcp::TcpSettings::default().set_nodelay(true));
        let client = redis::Client::open(info.set_redis_settings(settings)).expect("a client");
        let connection = client.get_multiplexed_async_connection().await.expect("Redis answers");
        let keys = logins.iter().map(|login| format!("{{jvs}}:s:{}", login.login())).collect();
        Self { connection, keys }
    }
}

impl Question for RedisGet {
    fn places(&self) -> usize {
        self.keys.len()
    }

    async fn ask(&self, place: usize) {
        let mut get = redis::cmd("GET");
        get.arg(&self.keys[place]);
        let text: redis::RedisResult<Option<Vec<u8>>> = get.query_async(&mut self.connection.clone()).await;
        assert!(matches!(&text, Ok(Some(text)) if text.starts_with(b"{\"u\":")), "a record was to come: {text:?}");
    }
}

/// A bare prepared `SELECT` of the records of `session-sql`, on the node's own pool.
#[derive(Clone)]
pub struct SqlSelect {
    pool: SqlitePool,
    logins: Arc<[Opened]>,
}

impl SqlSelect {
    pub fn new(pool: SqlitePool, logins: Arc<[Opened]>) -> Self {
        Self { pool, logins }
    }
}

impl Question for SqlSelect {
    fn places(&self) -> usize {
        self.logins.len()
    }

    async fn ask(&self, place: usize) {
        let login: &LoginId = self.logins[place].login();
        let select = sqlx::query_scalar("SELECT record FROM sessions WHERE login = ?").bind(login.as_str());
        let text: sqlx::Result<String> = select.fetch_one(&self.pool).await;
        assert!(matches!(&text, Ok(text) if text.starts_with("{\"u\":")), "a record was to come: {text:?}");
    }
}
