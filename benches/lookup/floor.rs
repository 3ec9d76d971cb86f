//! What cannot be cheaper: the bare work behind each strategy, on the same tokens, keys and connections.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::Criterion;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_vs_session::auth::{
    AuthStrategy, Description, Device, Effect, Grant, Identity, Login, LoginId, Presented, Reach, Result, Subject,
    UserId,
};
use jwt_vs_session::trace::Trace;
use serde::Deserialize;

use crate::stage::logins::Opened;
use crate::stage::questions::{RedisGet, SqlSelect};
use crate::stage::timing::{Question, bench, bench_in_flight, plain};
use crate::stage::{SECRET, Stage};

/// All of them.
pub fn all(criterion: &mut Criterion, stage: &Stage) {
    let mut group = criterion.benchmark_group("floor");
    let runtime = || &stage.runtime;
    bench(&mut group, plain("call"), runtime, || Call(Arc::new(Nobody(stage.strategy("jwt").describe().clone()))));
    bench(&mut group, plain("map"), runtime, || Map::new(&stage.logins("session-memory")));
    bench(&mut group, plain("jwt"), runtime, || Hs256::new(&stage.logins("jwt")));
    bench(&mut group, plain("jsonwebtoken-decode"), runtime, || Decode::new(stage.logins("jwt")));
    let get = |url: &str| stage.runtime.block_on(RedisGet::new(url, &stage.logins("session")));
    bench(&mut group, plain("redis-get"), runtime, || get(&stage.socket_url()));
    bench_in_flight(&mut group, "redis-get", runtime, || get(&stage.socket_url()));
    bench(&mut group, plain("redis-get-tcp"), runtime, || get(&stage.redis.url()));
    let pool = stage.node.sql().pool().get_sqlite_connection_pool();
    let select = || SqlSelect::new(pool.clone(), stage.logins("session-sql"));
    bench(&mut group, plain("sql-select"), runtime, select);
    bench_in_flight(&mut group, "sql-select", runtime, select);
    group.finish();
}

/// One HMAC with a prepared key, one base64, one JSON parse that copies nothing. The signature is decoded beforehand.
#[derive(Clone)]
pub struct Hs256 {
    key: Arc<hmac::Key>,
    tokens: Arc<[Token]>,
}

struct Token {
    text: String,
    payload: Range<usize>,
    signature: Vec<u8>,
    login: LoginId,
}

#[derive(Deserialize)]
#[allow(dead_code)] // the floor parses what the strategy needs
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    jti: &'a str,
    iat: f64,
    exp: f64,
    name: &'a str,
    role: &'a str,
}

impl Hs256 {
    pub fn new(logins: &[Opened]) -> Self {
        let key = Arc::new(hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()));
        Self { key, tokens: logins.iter().map(Token::new).collect() }
    }

    /// The check itself.
    pub fn check(&self, place: usize) {
        let Token { text, payload, signature, login } = &self.tokens[place];
        hmac::verify(&self.key, &text.as_bytes()[..payload.end], signature).expect("a good signature");
        let mut buffer = [0; 512];
        let length = URL_SAFE_NO_PAD.decode_slice(&text[payload.clone()], &mut buffer).expect("base64");
        let claims: Claims<'_> = serde_json::from_slice(&buffer[..length]).expect("claims");
        assert_eq!(claims.jti, login.as_str());
    }
}

impl Token {
    fn new(login: &Opened) -> Self {
        let text = login.credential().to_owned();
        let (header, signature) = (text.find('.').expect("a header"), text.rfind('.').expect("a signature"));
        let decoded = URL_SAFE_NO_PAD.decode(&text[signature + 1..]).expect("base64");
        Self { payload: header + 1..signature, signature: decoded, login: login.login().clone(), text }
    }
}

impl Question for Hs256 {
    fn places(&self) -> usize {
        self.tokens.len()
    }

    async fn ask(&self, place: usize) {
        self.check(place);
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
        let answer = self.0.identify(&Presented::new(None), &Trace::off()).await;
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

    async fn identify(&self, _presented: &Presented, _trace: &Trace) -> Result<Option<Identity>> {
        Ok(None)
    }

    async fn revoke(&self, _who: &Identity, _reach: Reach, _trace: &Trace) -> Result<Effect> {
        unreachable!("nobody ends a login here")
    }

    async fn logins(&self, _user: UserId, _trace: &Trace) -> Result<Option<Vec<Login>>> {
        Ok(None)
    }
}
