//! `floor/…`: the bare work behind each strategy, on the same tokens, keys and connections.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use criterion::Criterion;
use jwt_vs_session::auth::{
    AuthStrategy, Credentials, Description, Effect, Grant, Identity, Login, Result, RevokeScope,
};
use jwt_vs_session::identity::{Device, LoginId, Subject, UserId};
use jwt_vs_session::trace::Trace;

use crate::stage::bare::Decoder;
use crate::stage::hs256::{self, Token};
use crate::stage::logins::OpenLogin;
use crate::stage::probes::{RedisGet, SqlSelect};
use crate::stage::timing::{Probe, bench, bench_in_flight, plain};
use crate::stage::{SECRET, Stage};

/// The floors of the strategies that call no store.
pub fn of_memory(criterion: &mut Criterion, stage: &Stage) {
    let mut group = criterion.benchmark_group("floor");
    let runtime = || &stage.runtime;
    bench(&mut group, plain("call"), runtime, || Call(Arc::new(RefuseAll(stage.strategy("jwt").describe().clone()))));
    bench(&mut group, plain("map"), runtime, || Map::new(&stage.logins("session-memory")));
    bench(&mut group, plain("jwt"), runtime, || Hs256::new(&stage.logins("jwt")));
    bench(&mut group, plain("jsonwebtoken-decode"), runtime, || Decode::new(stage.logins("jwt")));
}

/// The floors of `session`.
pub fn of_redis(criterion: &mut Criterion, stage: &Stage) {
    let mut group = criterion.benchmark_group("floor");
    let runtime = || &stage.runtime;
    let get = |url: &str| stage.runtime.block_on(RedisGet::new(url, &stage.logins("session")));
    bench(&mut group, plain("redis-get-tcp"), runtime, || get(&stage.redis.url()));
    bench(&mut group, plain("redis-get"), runtime, || get(&stage.socket_url()));
    bench_in_flight(&mut group, "redis-get", runtime, || get(&stage.socket_url()));
}

/// The floors of `session-sql`.
pub fn of_sql(criterion: &mut Criterion, stage: &Stage) {
    let mut group = criterion.benchmark_group("floor");
    let runtime = || &stage.runtime;
    let pool = stage.node.sql().pool().get_sqlite_connection_pool();
    let select = || SqlSelect::new(pool.clone(), stage.logins("session-sql"));
    bench(&mut group, plain("sql-select"), runtime, select);
    bench_in_flight(&mut group, "sql-select", runtime, select);
}

/// The floor of `jwt`, see [`Token`].
#[derive(Clone)]
pub struct Hs256 {
    key: Arc<hs256::Key>,
    tokens: Arc<[Token]>,
}

impl Hs256 {
    pub fn new(logins: &[OpenLogin]) -> Self {
        let token = |login: &OpenLogin| Token::new(login.credential(), login.login().as_str());
        Self { key: Arc::new(hs256::key(SECRET)), tokens: logins.iter().map(token).collect() }
    }
}

impl Probe for Hs256 {
    fn count(&self) -> usize {
        self.tokens.len()
    }

    async fn send(&self, index: usize) {
        self.tokens[index].check(&self.key);
    }
}

/// The library's own check of the same tokens, with a prepared key and prepared rules.
#[derive(Clone)]
struct Decode {
    decoder: Arc<Decoder>,
    logins: Arc<[OpenLogin]>,
}

impl Decode {
    fn new(logins: Arc<[OpenLogin]>) -> Self {
        Self { decoder: Arc::new(Decoder::new(SECRET)), logins }
    }
}

impl Probe for Decode {
    fn count(&self) -> usize {
        self.logins.len()
    }

    async fn send(&self, index: usize) {
        let login = &self.logins[index];
        let claims = self.decoder.decode(login.credential()).expect("a valid token");
        assert_eq!(claims.jti, login.login().as_str());
    }
}

/// A bare map behind a lock, with the logins of `session-memory`.
#[derive(Clone)]
struct Map {
    map: Arc<RwLock<HashMap<LoginId, Arc<Identity>>>>,
    keys: Arc<[LoginId]>,
}

impl Map {
    fn new(logins: &[OpenLogin]) -> Self {
        let pair = |login: &OpenLogin| (login.login().clone(), Arc::new(login.identity.clone()));
        let keys = logins.iter().map(|login| login.login().clone()).collect();
        Self { map: Arc::new(RwLock::new(logins.iter().map(pair).collect())), keys }
    }
}

impl Probe for Map {
    fn count(&self) -> usize {
        self.keys.len()
    }

    async fn send(&self, index: usize) {
        let key = &self.keys[index];
        let found = self.map.read().expect("no panic").get(key).cloned();
        assert!(found.is_some_and(|identity| identity.login == *key));
    }
}

/// An empty call through the trait object.
#[derive(Clone)]
struct Call(Arc<dyn AuthStrategy>);

impl Probe for Call {
    fn count(&self) -> usize {
        1
    }

    async fn send(&self, _index: usize) {
        let answer = self.0.identify(&Credentials::new(None), &Trace::off()).await;
        assert!(matches!(answer, Ok(None)));
    }
}

/// Refuses every credential, without work.
struct RefuseAll(Description);

#[async_trait]
impl AuthStrategy for RefuseAll {
    fn describe(&self) -> &Description {
        &self.0
    }

    async fn issue(&self, _subject: &Subject, _device: &Device, _trace: &Trace) -> Result<Grant> {
        unreachable!("the floor opens no login")
    }

    async fn identify(&self, _presented: &Credentials, _trace: &Trace) -> Result<Option<Identity>> {
        Ok(None)
    }

    async fn revoke(&self, _who: &Identity, _reach: RevokeScope, _trace: &Trace) -> Result<Effect> {
        unreachable!("the floor revokes no login")
    }

    async fn logins(&self, _user: UserId, _trace: &Trace) -> Result<Option<Vec<Login>>> {
        Ok(None)
    }
}
