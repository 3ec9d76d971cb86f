//! What the suite runs over: every strategy on every store, on one clock that stands still and one real Redis.

use std::sync::Arc;
use std::time::Duration;

use jwt_vs_session::auth::SigningAlgorithm::{EdDsa, Es256, Hs256, Rs256};
use jwt_vs_session::auth::{
    AuthStrategy, Backend, JwtGenerationStrategy, JwtRefreshStrategy, JwtStrategy, Keys, RevocableJwtStrategy,
    SessionLimits, SessionStrategy, SigningAlgorithm,
};
use jwt_vs_session::clock::{Clock, Timestamp};
use jwt_vs_session::identity::{Role, Subject, UserId};
use jwt_vs_session::store::refresh::RefreshTokens;
use jwt_vs_session::store::revocations::Revocations;
use jwt_vs_session::store::sessions::{LoginStore, MemorySessions, RedisSessions, SqlSessions, TrackedSessions};
use jwt_vs_session::store::users::{User, Users};
use jwt_vs_session::store::{Redis, Sql};
use tempfile::TempDir;

use super::keys::key_of;
pub use super::tested::{Tested, identify, session_id, stored, stored_login};
use crate::common::{RedisServer, folder, noon, postgres_database, until};

/// The life of a token, and the idle limit of a session.
pub const LIFE: Duration = Duration::from_mins(30);

/// The absolute limit of a session.
pub const ABSOLUTE: Duration = LIFE.saturating_mul(IDLES);

const IDLES: u32 = 8;

pub const TICK: Duration = Duration::from_millis(1);

/// What a strategy with tokens is made with.
#[derive(Clone)]
struct With {
    keys: Arc<Keys>,
    sql: Sql,
    redis: Redis,
    life: Duration,
    clock: Clock,
}

/// The stores that subjects live in.
pub struct Bench {
    pub clock: Clock,
    pub redis: RedisServer,
    /// Where the database is.
    pub database: String,
    sql: Sql,
    _folder: TempDir,
}

impl Bench {
    /// On SQLite.
    pub async fn start() -> Self {
        let folder = folder();
        Self::on(format!("sqlite://{}/test.db?mode=rwc", folder.path().display()), folder).await
    }

    pub async fn on_both_databases() -> [Self; 2] {
        let folder = folder();
        [Self::start().await, Self::on(postgres_database().await, folder).await]
    }

    async fn on(database: String, folder: TempDir) -> Self {
        // Not a whole second: the milliseconds must survive a token.
        let clock = Clock::manual(noon() + Duration::from_millis(123));
        let sql = Sql::open(&database.parse().expect("a url")).await.expect("a database");
        Self { clock, redis: RedisServer::start().await, database, sql, _folder: folder }
    }

    /// Every strategy on every store. Twice, they are two nodes: nothing but the stores is shared.
    pub fn subjects(&self) -> Vec<Tested> {
        self.subjects_through(&self.redis.url())
    }

    /// With Redis at this address: one line each.
    pub fn subjects_through(&self, redis_url: &str) -> Vec<Tested> {
        let connect = || Redis::open(&redis_url.parse().expect("a url")).expect("a connection");
        let memory = || MemorySessions::new(self.clock.clone());
        let rows = SqlSessions::new(self.sql.clone(), self.clock.clone());
        let tracked = TrackedSessions::new(&connect(), self.ended("session-tracked"), self.clock.clone());
        let without_redis = |store, limits, clock| {
            SessionStrategy::shared(store, Backend::None, Some("in this process".to_owned()), limits, clock)
        };
        vec![
            self.tokens("jwt, HS256", Hs256, connect(), |with| JwtStrategy::new(with.keys, with.life, with.clock)),
            self.tokens("jwt, ES256", Es256, connect(), |with| JwtStrategy::new(with.keys, with.life, with.clock)),
            self.tokens("jwt, EdDSA", EdDsa, connect(), |with| JwtStrategy::new(with.keys, with.life, with.clock)),
            self.tokens("jwt, RS256", Rs256, connect(), |with| JwtStrategy::new(with.keys, with.life, with.clock)),
            self.tokens("jwt-blocklist", Hs256, connect(), |with| {
                RevocableJwtStrategy::blocklist(with.keys, with.sql, &with.redis, with.life, with.clock)
            }),
            self.tokens("jwt-pushed", Hs256, connect(), |with| {
                RevocableJwtStrategy::pushed(with.keys, with.sql, with.redis, with.life, with.clock)
            }),
            self.tokens("jwt-generation", Hs256, connect(), |with| {
                JwtGenerationStrategy::new(with.keys, Users::new(with.sql), with.life, with.clock)
            }),
            self.tokens("jwt-refresh", Hs256, connect(), |with| {
                let families = RefreshTokens::new(with.sql, with.clock.clone());
                JwtRefreshStrategy::new(with.keys, families, with.life, with.life, with.clock)
            }),
            self.session_on(&connect()),
            self.session("session, without Redis", memory(), without_redis),
            self.session("session-memory", memory(), SessionStrategy::in_process),
            self.session("session-sql", rows, SessionStrategy::in_sql),
            self.session("session-tracked", tracked, SessionStrategy::tracked),
        ]
    }

    /// Every strategy on two nodes; twice on the same one where no other ever knows its logins.
    pub fn pairs(&self) -> Vec<(Tested, Tested)> {
        let pair = |(here, there): (Tested, Tested)| {
            if here.strategy.describe().shared { (here, there) } else { (here.clone(), here) }
        };
        self.subjects().into_iter().zip(self.subjects()).map(pair).collect()
    }

    /// Those that keep a record of each login.
    pub fn with_records(&self) -> Vec<(Tested, Arc<dyn LoginStore>)> {
        let all = self.subjects().into_iter();
        all.filter_map(|subject| subject.store.clone().map(|store| (subject, store))).collect()
    }

    pub fn session_on_redis(&self) -> Tested {
        self.session_on(&self.connect())
    }

    fn session_on(&self, redis: &Redis) -> Tested {
        let store = RedisSessions::new(redis, self.ended("session"), self.clock.clone());
        self.session("session, on Redis", store, |store, limits, clock| {
            SessionStrategy::shared(store, Backend::Redis, None, limits, clock)
        })
    }

    /// Where the store of a mount writes down which of its logins ended.
    fn ended(&self, mount: &'static str) -> Revocations {
        Revocations::new(mount, self.sql.clone(), ABSOLUTE, self.clock.clone())
    }

    pub fn connect(&self) -> Redis {
        Redis::open(&self.redis.url().parse().expect("a url")).expect("a connection")
    }

    pub async fn alice(&self) -> Subject {
        self.user("Alice", Role::User).await
    }

    pub async fn bob(&self) -> Subject {
        self.user("Bob", Role::Presenter).await
    }

    /// A new user, in the table of users too.
    async fn user(&self, name: &str, role: Role) -> Subject {
        let user = User { id: UserId::random(), name: name.to_owned(), role, password_hash: "none".to_owned() };
        let users = Users::new(self.sql.clone());
        // A disk that is busy with something else is no finding; a late answer may have been carried out.
        until("the user is there", async || users.insert(&user, &user.id.to_string(), self.clock.now()).await.is_ok())
            .await;
        Subject { id: user.id, name: user.name.into(), role }
    }

    /// Moves the clock to `moment`.
    pub fn go_to(&self, moment: Timestamp) {
        assert!(moment >= self.clock.now(), "the clock does not go back");
        self.clock.advance(moment.since(self.clock.now()));
    }

    fn tokens<S: AuthStrategy>(
        &self,
        name: &str,
        algorithm: SigningAlgorithm,
        redis: Redis,
        build: impl Fn(With) -> S + Send + Sync + 'static,
    ) -> Tested {
        let with = With {
            keys: key_of(algorithm).keys.clone(),
            sql: self.sql.clone(),
            redis,
            life: LIFE,
            clock: self.clock.clone(),
        };
        let living = move |life| Arc::new(build(With { life, ..with.clone() })) as Arc<dyn AuthStrategy>;
        Tested { name: name.to_owned(), strategy: living(LIFE), living: Arc::new(living), store: None }
    }

    fn session<S: LoginStore>(
        &self,
        name: &str,
        store: S,
        build: impl Fn(Arc<S>, SessionLimits, Clock) -> SessionStrategy<S> + Send + Sync + 'static,
    ) -> Tested {
        let (store, clock) = (Arc::new(store), self.clock.clone());
        let shared = store.clone();
        let living = move |idle: Duration| {
            let limits = SessionLimits { idle, absolute: idle * IDLES };
            Arc::new(build(shared.clone(), limits, clock.clone())) as Arc<dyn AuthStrategy>
        };
        Tested { name: name.to_owned(), strategy: living(LIFE), living: Arc::new(living), store: Some(store) }
    }
}
