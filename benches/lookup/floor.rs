//! What cannot be cheaper: the bare work behind each strategy, on the same tokens, keys and connections.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use criterion::Criterion;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_vs_session::auth::{
    AuthStrategy, Credentials, Description, Effect, Grant, Identity, Login, Result, RevokeScope,
};
use jwt_vs_session::identity::{Device, LoginId, Subject, UserId};
use jwt_vs_session::trace::Trace;
use serde::Deserialize;

use crate::stage::hs256::{self, Token};
use crate::stage::logins::Opened;
use crate::stage::questions::{RedisGet, SqlSelect};
use crate::stage::timing::{Question, bench, bench_in_flight, plain};
use crate::stage::{SECRET, Stage};

/// The floors of what waits for nobody.
pub fn of_memory(criterion: &mut Criterion, stage: &Stage) {
    let mut group = criterion.benchmark_group("floor");
    let runtime = || &stage.runtime;
    bench(&mut group, plain("call"), runtime, || Call(Arc::new(Nobody(stage.strategy("jwt").describe().clone()))));
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

/// See [`Token`]; of the tokens of `jwt`.
#[derive(Clone)]
pub struct Hs256 {
    key: Arc<hs256::Key>,
    tokens: Arc<[Token]>,
}

impl Hs256 {
    pub fn new(logins: &[Opened]) -> Self {
        let token = |login: &Opened| Token::new(login.credential(), login.login().as_str());
        Self { key: Arc::new(hs256::key(SECRET)), tokens: logins.iter().map(token).collect() }
    }
}

impl Question for Hs256 {
    fn places(&self) -> usize {
        self.tokens.len()
    }

    async fn ask(&self, place: usize) {
        self.tokens[place].check(&self.key);
    }
}

/// The library's own check of the same tokens.
#[derive(Clone)]
struct Decode {
    key: Arc<DecodingKey>,
    validation: Arc<Validation>,
    logins: Arc<[Opened]>,
}

#[derive(Clone, Deserialize)]
#[allow(dead_code)] // the floor parses what the strategy needs
struct OwnedClaims {
    iss: String,
    aud: String,
    sub: UserId,
    jti: String,
    iat: f64,
    exp: f64,
    name: String,
    role: String,
}

impl Decode {
    fn new(logins: Arc<[Opened]>) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&["jwt"]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Self { key: Arc::new(DecodingKey::from_secret(SECRET.as_bytes())), validation: Arc::new(validation), logins }
    }
}

impl Question for Decode {
    fn places(&self) -> usize {
        self.logins.len()
    }

    async fn ask(&self, place: usize) {
        let login = &self.logins[place];
        let decoded = jsonwebtoken::decode::<OwnedClaims>(login.credential(), &self.key, &self.validation);
        let claims = decoded.expect("a good token").claims;
        assert_eq!(claims.jti, login.login().as_str());
    }
}

/// A bare map behind a lock, with the keys and the number of `session-memory`.
#[derive(Clone)]
struct Map {
    map: Arc<RwLock<HashMap<LoginId, Arc<Identity>>>>,
    keys: Arc<[LoginId]>,
}

impl Map {
    fn new(logins: &[Opened]) -> Self {
        let pair = |login: &Opened| (login.login().clone(), Arc::new(login.identity.clone()));
        let keys = logins.iter().map(|login| login.login().clone()).collect();
        Self { map: Arc::new(RwLock::new(logins.iter().map(pair).collect())), keys }
    }
}

impl Question for Map {
    fn places(&self) -> usize {
        self.keys.len()
    }

    async fn ask(&self, place: usize) {
        let key = &self.keys[place];
        let found = self.map.read().expect("no panic").get(key).cloned();
        assert!(found.is_some_and(|identity| identity.login == *key));
    }
}

/// An empty call through the trait object.
#[derive(Clone)]
struct Call(Arc<dyn AuthStrategy>);

impl Question for Call {
    fn places(&self) -> usize {
        1
    }

    async fn ask(&self, _place: usize) {
        let answer = self.0.identify(&Credentials::new(None), &Trace::off()).await;
        assert!(matches!(answer, Ok(None)));
    }
}

/// Knows nobody, at no cost.
struct Nobody(Description);

#[async_trait]
impl AuthStrategy for Nobody {
    fn describe(&self) -> &Description {
        &self.0
    }

    async fn issue(&self, _subject: &Subject, _device: &Device, _trace: &Trace) -> Result<Grant> {
        unreachable!("nobody opens a login here")
    }

    async fn identify(&self, _presented: &Credentials, _trace: &Trace) -> Result<Option<Identity>> {
        Ok(None)
    }

    async fn revoke(&self, _who: &Identity, _reach: RevokeScope, _trace: &Trace) -> Result<Effect> {
        unreachable!("nobody ends a login here")
    }

    async fn logins(&self, _user: UserId, _trace: &Trace) -> Result<Option<Vec<Login>>> {
        Ok(None)
    }
}
