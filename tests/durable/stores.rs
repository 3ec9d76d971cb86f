//! The strategies that use Redis, on nodes that share one Redis and one database.

use std::sync::Arc;
use std::time::Duration;

use jwt_vs_session::auth::{
    AuthStrategy, Backend, Credentials, Grant, Keys, RevocableJwtStrategy, SessionLimits, SessionStrategy,
};
use jwt_vs_session::clock::Clock;
use jwt_vs_session::identity::{Device, Role, Subject, UserId};
use jwt_vs_session::store::revocations::Revocations;
use jwt_vs_session::store::sessions::{RedisSessions, TrackedSessions};
use jwt_vs_session::store::{Redis, Sql};
use jwt_vs_session::trace::Trace;
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;

use crate::common::{RedisServer, folder, until};

const LIFE: Duration = Duration::from_mins(15);

/// One Redis and one database, for any number of nodes.
pub struct Stores {
    pub redis: RedisServer,
    pub folder: TempDir,
}

impl Stores {
    pub async fn start() -> Self {
        Self { redis: RedisServer::start().await, folder: folder() }
    }

    /// Redis writes its snapshots into the folder, and restores the last one when it restarts.
    pub async fn with_snapshots() -> Self {
        let folder = folder();
        let redis = RedisServer::start_with(&["--dir", &folder.path().display().to_string()]).await;
        Self { redis, folder }
    }

    /// The strategies of one node that use Redis, over new connections.
    pub async fn node(&self) -> Vec<Arc<dyn AuthStrategy>> {
        self.node_with(&self.folder, &self.redis.url()).await
    }

    /// The same with the database in this folder, and Redis at this address.
    pub async fn node_with(&self, folder: &TempDir, redis_url: &str) -> Vec<Arc<dyn AuthStrategy>> {
        let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
        let sql = Sql::open(&url.parse().expect("a url")).await.expect("a database");
        let redis = || Redis::open(&redis_url.parse().expect("a url")).expect("a connection");
        let secret = SecretString::from("0123456789abcdef0123456789abcdef");
        let keys = Arc::new(Keys::from_secret(&secret).expect("a key"));
        let clock = Clock::system();
        let limits = SessionLimits { idle: LIFE, absolute: LIFE };
        let revocations = |mount| Revocations::new(mount, sql.clone(), LIFE, clock.clone());
        let tracked = TrackedSessions::new(&redis(), revocations("session-tracked"), clock.clone());
        let session = RedisSessions::new(&redis(), revocations("session"), clock.clone());
        vec![
            Arc::new(RevocableJwtStrategy::blocklist(keys.clone(), sql.clone(), &redis(), LIFE, clock.clone())),
            Arc::new(RevocableJwtStrategy::pushed(keys, sql, redis(), LIFE, clock.clone())),
            Arc::new(SessionStrategy::shared(Arc::new(session), Backend::Redis, None, limits, clock.clone())),
            Arc::new(SessionStrategy::tracked(Arc::new(tracked), limits, clock)),
        ]
    }
}

pub fn alice() -> Subject {
    Subject { id: UserId::random(), name: "alice".into(), role: Role::User }
}

pub async fn open(node: &dyn AuthStrategy, subject: &Subject) -> Grant {
    let mut grant = None;
    // The node may not have reconnected yet.
    until("a login is opened", async || {
        grant = node.issue(subject, &Device::default(), &Trace::off()).await.ok();
        grant.is_some()
    })
    .await;
    grant.expect("a login")
}

pub fn credentials(grant: &Grant) -> Credentials {
    Credentials::new(Some(grant.credential.expose_secret().to_owned()))
}

/// Whether the node accepts the credential. False also when a store fails.
pub async fn accepts(node: &dyn AuthStrategy, credentials: &Credentials) -> bool {
    matches!(node.identify(credentials, &Trace::off()).await, Ok(Some(_)))
}

pub async fn until_accepted(node: &dyn AuthStrategy, credentials: &Credentials) {
    let slug = node.describe().slug;
    until(&format!("{slug} accepts"), async || accepts(node, credentials).await).await;
}
