//! A server with its own Redis, and the descriptions of its mounts.

use std::time::Duration;

use jwt_vs_session::auth::{Description, Promise};

use super::client::MountClient;
use crate::common::{RedisServer, TestApp, me, postgres_database};

/// A password that passes the check.
pub const PASSWORD: &str = "käse-und-brot-um-vier";

/// A server on a paused clock.
pub struct TestServer {
    pub app: TestApp,
    pub redis: RedisServer,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts with more options of the command line.
    pub async fn with(options: &[&str]) -> Self {
        let redis = RedisServer::start().await;
        let url = redis.url();
        let options = [&["--redis-url", &url], options].concat();
        Self { app: TestApp::start_with_clock(&options).await, redis }
    }

    /// One on SQLite, one on PostgreSQL.
    pub async fn on_both_databases() -> [Self; 2] {
        let url = postgres_database().await;
        [Self::start().await, Self::with(&["--database-url", &url]).await]
    }

    pub fn mounts(&self) -> &[Description] {
        &self.app.strategies
    }

    /// The token and the session of the title, for tests of what does not depend on the strategy.
    pub fn title_pair(&self) -> &[Description] {
        let pair = &self.mounts()[..2];
        assert!(pair[0].transport.bearer && !pair[1].transport.bearer, "{pair:?}");
        pair
    }

    pub fn client(&self, mount: &Description) -> MountClient {
        MountClient::new(&self.app, mount)
    }

    /// Whether a copy of a credential (`name=value`) is still accepted.
    pub async fn accepts(&self, mount: &Description, cookie: &str) -> bool {
        me(&self.app, &base(mount), cookie).await == 200
    }

    /// Fails unless a revoked login is refused or accepted as its strategy promises.
    pub async fn assert_revoked(&self, mount: &Description, cookie: &str) {
        let slug = mount.slug;
        match mount.promise {
            // The node that revoked needs no push.
            Promise::Immediate | Promise::Push { .. } => {
                assert!(!self.accepts(mount, cookie).await, "{slug}: accepted after the revoke");
            }
            Promise::Expiry { .. } => assert!(self.accepts(mount, cookie).await, "{slug}: refused before it expired"),
        }
    }

    /// Moves the clock by the longest time that a revoked login may go on.
    pub fn advance_past_every_bound(&self) {
        let bounds = self.mounts().iter().map(|mount| match mount.promise {
            Promise::Immediate => 0,
            Promise::Push { bound_ms } | Promise::Expiry { bound_ms } => bound_ms,
        });
        self.app.clock.advance(Duration::from_millis(bounds.max().unwrap_or(0)));
    }
}

/// The path of a mount.
pub fn base(mount: &Description) -> String {
    format!("/{}", mount.slug)
}

/// A user name of this mount's test.
pub fn name(mount: &Description, rest: &str) -> String {
    format!("{}-{rest}", mount.slug)
}
