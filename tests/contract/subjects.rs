//! What the suite runs over: every strategy on every store, on one clock that stands still and one real Redis.

use std::sync::Arc;
use std::time::Duration;

use jwt_vs_session::auth::SigningAlgorithm::{EdDsa, Es256, Hs256, Rs256};
use jwt_vs_session::auth::{
    AuthStrategy, Device, Effect, Grant, Identity, JwtGenerationStrategy, JwtRefreshStrategy, JwtStrategy, Keys,
    LoginId, Need, Presented, Promise, Reach, RevocableJwtStrategy, Role, SessionLimits, SessionStrategy,
    SigningAlgorithm, Subject, UserId,
};
use jwt_vs_session::clock::{Clock, Timestamp};
use jwt_vs_session::store::refresh::RefreshTokens;
use jwt_vs_session::store::revocations::Revocations;
use jwt_vs_session::store::sessions::{
    LoginRecord, LoginStore, MemorySessions, RedisSessions, SqlSessions, TrackedSessions,
};
use jwt_vs_session::store::users::{User, Users};
use jwt_vs_session::store::{Redis, Sql};
use jwt_vs_session::trace::Trace;
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use tower_sessions::session::{Id, Record};

use super::keys::key_of;
use crate::common::{RedisServer, noon};

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
    sql: Sql,
    _folder: TempDir,
}

impl Bench {
    pub async fn start() -> Self {
        // Not a whole second: the milliseconds must survive a token.
        let clock = Clock::manual(noon() + Duration::from_millis(123));
        let folder = tempfile::tempdir().expect("a folder");
        let file = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
        let sql = Sql::open(&file.parse().expect("a url")).await.expect("a database");
        Self { clock, redis: RedisServer::start().await, sql, _folder: folder }
    }

    /// Every strategy on every store: one line each.
    pub fn subjects(&self) -> Vec<Tested> {
        let memory = || MemorySessions::new(self.clock.clone());
        let rows = SqlSessions::new(self.sql.clone(), self.clock.clone());
        let tracked = TrackedSessions::new(&self.connect(), self.ended("session-tracked"), self.clock.clone());
        let without_redis = |store, limits, clock| {
            SessionStrategy::shared(store, Need::Nothing, Some("in this process".to_owned()), limits, clock)
        };
        vec![
            self.tokens("jwt, HS256", Hs256, |with| JwtStrategy::new(with.keys, with.life, with.clock)),
            self.tokens("jwt, ES256", Es256, |with| JwtStrategy::new(with.keys, with.life, with.clock)),
            self.tokens("jwt, EdDSA", EdDsa, |with| JwtStrategy::new(with.keys, with.life, with.clock)),
            self.tokens("jwt, RS256", Rs256, |with| JwtStrategy::new(with.keys, with.life, with.clock)),
            self.tokens("jwt-blocklist", Hs256, |with| {
                RevocableJwtStrategy::blocklist(with.keys, with.sql, &with.redis, with.life, with.clock)
            }),
            self.tokens("jwt-pushed", Hs256, |with| {
                RevocableJwtStrategy::pushed(with.keys, with.sql, with.redis, with.life, with.clock)
            }),
            self.tokens("jwt-generation", Hs256, |with| {
                JwtGenerationStrategy::new(with.keys, Users::new(with.sql), with.life, with.clock)
            }),
            self.tokens("jwt-refresh", Hs256, |with| {
                let families = RefreshTokens::new(with.sql, with.clock.clone());
                JwtRefreshStrategy::new(with.keys, families, with.life, with.life, with.clock)
            }),
            self.session_on_redis(),
            self.session("session, without Redis", memory(), without_redis),
            self.session("session-memory", memory(), SessionStrategy::in_process),
            self.session("session-sql", rows, SessionStrategy::in_sql),
            self.session("session-tracked", tracked, SessionStrategy::tracked),
        ]
    }

    /// Those that keep a record of each login.
    pub fn with_records(&self) -> Vec<(Tested, Arc<dyn LoginStore>)> {
        let all = self.subjects().into_iter();
        all.filter_map(|subject| subject.store.clone().map(|store| (subject, store))).collect()
    }

    pub fn session_on_redis(&self) -> Tested {
        let store = RedisSessions::new(&self.connect(), self.ended("session"), self.clock.clone());
        self.session("session, on Redis", store, |store, limits, clock| {
            SessionStrategy::shared(store, Need::Redis, None, limits, clock)
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
        assert!(users.insert(&user, &user.id.to_string(), self.clock.now()).await.expect("a user"));
        Subject { id: user.id, name: user.name, role }
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
        build: impl Fn(With) -> S + 'static,
    ) -> Tested {
        let with = With {
            keys: key_of(algorithm).keys.clone(),
            sql: self.sql.clone(),
            redis: self.connect(),
            life: LIFE,
            clock: self.clock.clone(),
        };
        let living = move |life| Arc::new(build(With { life, ..with.clone() })) as Arc<dyn AuthStrategy>;
        Tested { name: name.to_owned(), strategy: living(LIFE), living: Box::new(living), store: None }
    }

    fn session<S: LoginStore>(
        &self,
        name: &str,
        store: S,
        build: impl Fn(Arc<S>, SessionLimits, Clock) -> SessionStrategy<S> + 'static,
    ) -> Tested {
        let (store, clock) = (Arc::new(store), self.clock.clone());
        let shared = store.clone();
        let living = move |idle: Duration| {
            let limits = SessionLimits { idle, absolute: idle * IDLES };
            Arc::new(build(shared.clone(), limits, clock.clone())) as Arc<dyn AuthStrategy>
        };
        Tested { name: name.to_owned(), strategy: living(LIFE), living: Box::new(living), store: Some(store) }
    }
}

/// A strategy on a store.
pub struct Tested {
    pub name: String,
    pub strategy: Arc<dyn AuthStrategy>,
    /// The same keys and store with another life, or idle limit; an absolute limit changes in proportion.
    pub living: Box<dyn Fn(Duration) -> Arc<dyn AuthStrategy>>,
    /// Where its records are, if it keeps any.
    pub store: Option<Arc<dyn LoginStore>>,
}

impl Tested {
    pub async fn log_in(&self, who: &Subject) -> Grant {
        self.log_in_from(who, "a browser").await
    }

    pub async fn log_in_from(&self, who: &Subject, label: &str) -> Grant {
        let device = Device { label: label.to_owned(), address: "192.0.2.7".to_owned() };
        self.strategy.issue(who, &device, &Trace::default()).await.expect("a login")
    }

    pub async fn identify(&self, credential: &SecretString) -> Option<Identity> {
        identify(self.strategy.as_ref(), credential.expose_secret()).await
    }

    /// Whether a log out is felt at all before the login expires.
    pub fn ends_at_once(&self) -> bool {
        !matches!(self.strategy.describe().promise, Promise::Expiry { .. })
    }

    /// Whether the end of any login ends every login of the user.
    pub fn ends_only_all(&self) -> bool {
        self.ends_at_once() && !self.strategy.describe().ends_single
    }

    pub async fn accepts(&self, grant: &Grant) -> bool {
        self.identify(&grant.credential).await.is_some()
    }

    pub async fn revoke(&self, grant: &Grant, reach: Reach) -> Effect {
        self.strategy.revoke(&grant.identity, reach, &Trace::default()).await.expect("a revoke")
    }

    pub async fn logins(&self, who: &Subject) -> Option<Vec<LoginId>> {
        let logins = self.strategy.logins(who.id, &Trace::default()).await.expect("an answer");
        logins.map(|logins| logins.into_iter().map(|login| login.id).collect())
    }

    /// Fails unless what became of a revoked login is what its strategy promises. Moves the clock where that is needed.
    pub async fn assert_ended(&self, bench: &Bench, grant: &Grant, effect: Effect) {
        let name = &self.name;
        match (self.strategy.describe().promise, effect) {
            (Promise::Immediate, Effect::Now) => assert!(!self.accepts(grant).await, "{name}: accepted after the end"),
            (Promise::Push { bound_ms }, Effect::Within(time)) => {
                assert!(time <= Duration::from_millis(bound_ms), "{name}: past its bound");
                assert!(!self.accepts(grant).await, "{name}: accepted after the end");
            }
            (Promise::Expiry { bound_ms }, Effect::At(end)) => {
                let expiry = grant.identity.expires_at;
                assert!(end.since(bench.clock.now()) <= Duration::from_millis(bound_ms), "{name}: past its bound");
                assert!(expiry <= end, "{name}: accepted for longer than the revoke said");
                assert!(self.accepts(grant).await, "{name}: refused before its time");
                bench.go_to(expiry - TICK);
                assert!(self.accepts(grant).await, "{name}: refused a millisecond before its time");
                bench.go_to(expiry);
                assert!(!self.accepts(grant).await, "{name}: accepted at its expiry");
            }
            (promise, effect) => panic!("{name}: promises {promise:?} and answered {effect:?}"),
        }
    }
}

pub async fn identify(strategy: &dyn AuthStrategy, credential: &str) -> Option<Identity> {
    let presented = Presented::new(Some(credential.to_owned()));
    strategy.identify(&presented, &Trace::default()).await.expect("an answer")
}

/// The session id in a credential.
pub fn session_id(grant: &Grant) -> Id {
    grant.credential.expose_secret().parse().expect("a session id")
}

/// The record of a login as the store has it.
pub async fn stored(store: &Arc<dyn LoginStore>, grant: &Grant) -> Record {
    store.load(&session_id(grant)).await.expect("an answer").expect("a record")
}

pub async fn stored_login(store: &Arc<dyn LoginStore>, grant: &Grant) -> LoginRecord {
    LoginRecord::from_record(&stored(store, grant).await).expect("a login")
}
