//! `plain/…`: the textbook's way, without what the strategies of this server add.

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_vs_session::identity::Subject;
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::stage::logins::OpenLogin;
use crate::stage::probes::connect;
use crate::stage::timing::{Probe, bench, plain, spawned};
use crate::stage::{SECRET, Stage};

pub fn all(criterion: &mut Criterion, stage: &Stage) {
    let mut group = criterion.benchmark_group("plain");
    group.throughput(Throughput::Elements(1));
    let runtime = || &stage.runtime;
    let session = || stage.runtime.block_on(RedisSession::open(&stage.socket_url(), stage.users()));
    bench(&mut group, plain("jsonwebtoken"), runtime, || Decode { logins: stage.logins("jwt") });
    bench(&mut group, plain("redis-session"), runtime, session);
    // As many samples as for the other revokes.
    group.sample_size(20);
    group.bench_function(BenchmarkId::new("redis-session", "revoke"), |bencher| {
        let (url, guests) = (stage.socket_url(), stage.guests());
        bencher.iter_custom(|times| {
            let subjects: Vec<_> = guests.iter().cycle().take(usize::try_from(times).expect("64 bits")).collect();
            let session = stage.runtime.block_on(RedisSession::open(&url, subjects));
            spawned(&stage.runtime, session.revoke_all())
        });
    });
}

/// `jsonwebtoken::decode`, called as the library's README shows: each call makes the key and the rules.
#[derive(Clone)]
struct Decode {
    logins: Arc<[OpenLogin]>,
}

#[derive(Clone, Deserialize)]
#[allow(dead_code)] // what a page needs
struct Claims {
    sub: String,
    name: String,
    role: String,
    exp: f64,
}

impl Probe for Decode {
    fn count(&self) -> usize {
        self.logins.len()
    }

    async fn send(&self, index: usize) {
        let login = &self.logins[index];
        let key = DecodingKey::from_secret(SECRET.as_bytes());
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&["jwt"]);
        let decoded = jsonwebtoken::decode::<Claims>(login.credential(), &key, &validation);
        let claims = decoded.expect("a valid token").claims;
        assert_eq!(claims.name, login.identity.subject.name.as_str());
    }
}

/// A session whose record is in Redis under its id: a check is a `GET`, and a log out is a `DEL`.
#[derive(Clone)]
struct RedisSession {
    connection: MultiplexedConnection,
    /// The key, and the user of its record.
    sessions: Arc<[(String, Uuid)]>,
}

#[derive(Deserialize, Serialize)]
struct Record {
    user: Uuid,
    name: String,
    role: String,
}

impl RedisSession {
    async fn open(url: &str, subjects: impl IntoIterator<Item = &Subject>) -> Self {
        let connection = connect(url).await;
        let mut sessions = Vec::new();
        for subject in subjects {
            let record = Record { user: subject.id.0, name: subject.name.to_string(), role: "user".to_owned() };
            let record = serde_json::to_string(&record).expect("JSON");
            let key = format!("session:{}", Uuid::new_v4().simple());
            let mut set = redis::cmd("SET");
            set.arg(&key).arg(record).arg("EX").arg(1_800);
            let stored: redis::RedisResult<()> = set.query_async(&mut connection.clone()).await;
            stored.expect("Redis stores the record");
            sessions.push((key, subject.id.0));
        }
        fastrand::Rng::with_seed(1).shuffle(&mut sessions);
        Self { connection, sessions: sessions.into() }
    }

    async fn get(&self, key: &str) -> Option<String> {
        let text: redis::RedisResult<_> = redis::cmd("GET").arg(key).query_async(&mut self.connection.clone()).await;
        text.expect("Redis answers")
    }

    /// Returns how long the `DEL`s take, one after another. Untimed: afterwards each session must be refused.
    async fn revoke_all(self) -> Duration {
        let begun = Instant::now();
        for (key, _) in &*self.sessions {
            let mut del = redis::cmd("DEL");
            let deleted: redis::RedisResult<u64> = del.arg(key).query_async(&mut self.connection.clone()).await;
            assert!(matches!(deleted, Ok(1)), "a session must be deleted: {deleted:?}");
        }
        let took = begun.elapsed();
        for (key, _) in &*self.sessions {
            assert_eq!(self.get(key).await, None, "a revoked session is accepted");
        }
        took
    }
}

impl Probe for RedisSession {
    fn count(&self) -> usize {
        self.sessions.len()
    }

    async fn send(&self, index: usize) {
        let (key, user) = &self.sessions[index];
        let text = self.get(key).await.expect("a record");
        let record: Record = serde_json::from_str(&text).expect("the form of a record");
        assert_eq!(record.user, *user);
    }
}
