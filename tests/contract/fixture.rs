//! What a check works with: a clock that the check moves, stores of its own, and users.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use jwt_vs_session::auth::{Backend, SigningAlgorithm};
use jwt_vs_session::clock::{Clock, Timestamp};
use jwt_vs_session::config::Settings;
use jwt_vs_session::identity::{Role, Subject, UserId};
use jwt_vs_session::store::Redis;
use jwt_vs_session::store::users::{User, Users};
use tempfile::TempDir;

use super::keys::key_file;
use super::strategy_under_test::StrategyUnderTest;
use super::variants::Variant;
use crate::common::{self, RedisServer, folder, noon, postgres_database, until};

/// The life of a token, and the idle limit of a session.
pub const LIFE: Duration = Duration::from_mins(30);

/// The absolute limit of a session.
pub const ABSOLUTE: Duration = LIFE.saturating_mul(IDLES);

const IDLES: u32 = 8;

pub const TICK: Duration = Duration::from_millis(1);

/// The stores of one check, and a clock that stands still.
pub struct Fixture {
    pub clock: Clock,
    variant: Variant,
    users: Users,
    redis: Option<RedisServer>,
    postgres: Option<String>,
    folder: TempDir,
}

impl Fixture {
    /// Opens stores and a first node on them. Starts Redis only for a strategy or a check that needs it: that takes
    /// longer than most checks.
    pub async fn start(variant: &Variant, needs_redis: bool) -> (Self, StrategyUnderTest) {
        let in_redis = variant.description.backend == Backend::Redis;
        let redis = if in_redis || needs_redis { Some(RedisServer::start().await) } else { None };
        let postgres = if variant.on_postgres { Some(postgres_database().await) } else { None };
        // Not a whole second: the milliseconds must survive a token.
        let clock = Clock::manual(noon() + Duration::from_millis(123));
        let (folder, url) = (folder(), redis.as_ref().filter(|_| in_redis).map(RedisServer::url));
        let settings = settings(folder.path(), url.as_deref(), postgres.as_deref(), variant.algorithm);
        let node = StrategyUnderTest::open(settings, &clock, variant.entry).await;
        let users = Users::new(node.sql().clone());
        (Self { clock, variant: variant.clone(), users, redis, postgres, folder }, node)
    }

    /// Another node on the same stores. The same node under a strategy whose logins no other node ever knows.
    pub async fn other_node(&self, node: &StrategyUnderTest) -> StrategyUnderTest {
        if self.variant.description.shared { node.another().await } else { node.clone() }
    }

    /// Another node, which finds Redis at this address.
    pub async fn node_through(&self, redis_url: &str) -> StrategyUnderTest {
        let database = self.postgres.as_deref();
        let settings = settings(self.folder.path(), Some(redis_url), database, self.variant.algorithm);
        StrategyUnderTest::open(settings, &self.clock, self.variant.entry).await
    }

    /// The Redis of a strategy or a check that needs one.
    pub fn redis(&self) -> &RedisServer {
        self.redis.as_ref().expect("this check has a Redis")
    }

    pub fn redis_mut(&mut self) -> &mut RedisServer {
        self.redis.as_mut().expect("this check has a Redis")
    }

    /// Every key about a login or a user that Redis holds.
    pub async fn keys_left(&self) -> Vec<String> {
        match &self.redis {
            Some(redis) => redis.keys().await,
            None => Vec::new(),
        }
    }

    /// The key in Redis about a login or a user.
    pub async fn key_of(&self, name: &impl Display) -> String {
        let ending = format!(":{name}");
        self.keys_left().await.into_iter().find(|key| key.ends_with(&ending)).expect("a key")
    }

    pub fn connect(&self) -> Redis {
        Redis::open(&self.redis().url().parse().expect("a url")).expect("a connection")
    }

    /// The URL of the SQL database.
    pub fn database(&self) -> String {
        self.postgres.clone().unwrap_or_else(|| format!("sqlite://{}/test.db?mode=rwc", self.folder.path().display()))
    }

    pub async fn alice(&self) -> Subject {
        self.user("Alice", Role::User).await
    }

    pub async fn bob(&self) -> Subject {
        self.user("Bob", Role::Presenter).await
    }

    /// Adds a user to the SQL database.
    async fn user(&self, name: &str, role: Role) -> Subject {
        let user = User {
            id: UserId::random(),
            name: name.to_owned(),
            role,
            password_hash: "none".to_owned(),
            is_disabled: false,
        };
        // A busy disk is no finding. After a late answer the user may be there all the same.
        until("the user is there", async || {
            self.users.insert(&user, &user.id.to_string(), self.clock.now()).await.is_ok()
        })
        .await;
        Subject { id: user.id, name: user.name.into(), role }
    }

    /// Moves the clock to `moment`.
    pub fn go_to(&self, moment: Timestamp) {
        assert!(moment >= self.clock.now(), "the clock does not go back");
        self.clock.advance(moment.since(self.clock.now()));
    }
}

/// Settings of a node. Without an address of Redis it runs without.
pub fn settings(
    folder: &Path,
    redis_url: Option<&str>,
    database_url: Option<&str>,
    algorithm: SigningAlgorithm,
) -> Settings {
    let mut more = Vec::new();
    more.extend(redis_url.into_iter().flat_map(|url| ["--redis-url", url]));
    more.extend(database_url.into_iter().flat_map(|url| ["--database-url", url]));
    let settings = common::settings(folder, &more);
    with_life(&Settings { jwt_algorithm: algorithm, jwt_key_file: vec![key_file(algorithm)], ..settings }, LIFE)
}

/// The settings with another life of tokens and another idle limit. The absolute limit changes in proportion.
pub fn with_life(settings: &Settings, life: Duration) -> Settings {
    Settings {
        access_ttl: life,
        short_ttl: life,
        refresh_ttl: life,
        session_idle: life,
        session_absolute: life * IDLES,
        ..settings.clone()
    }
}
