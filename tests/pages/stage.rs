//! A server with a Redis of its own, and what its mounts say of themselves.

use std::time::Duration;

use jwt_vs_session::auth::{Description, Promise};

use super::visitor::Visitor;
use crate::common::{RedisServer, TestApp, me, postgres_database};

/// A password that nobody tries first.
pub const PASSWORD: &str = "käse-und-brot-um-vier";

/// A server on a clock that stands still until it is moved.
pub struct Stage {
    pub app: TestApp,
    pub redis: RedisServer,
}

impl Stage {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With more options, as on the command line.
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

    /// The two of the title, a token and a session: for what the pages do alike under every mount.
    pub fn title_pair(&self) -> &[Description] {
        let pair = &self.mounts()[..2];
        assert!(pair[0].transport.bearer && !pair[1].transport.bearer, "{pair:?}");
        pair
    }

    pub fn visitor(&self, mount: &Description) -> Visitor {
        Visitor::new(&self.app, mount)
    }

    /// Whether a copy of a credential (`name=value`) is still accepted.
    pub async fn accepts(&self, mount: &Description, cookie: &str) -> bool {
        me(&self.app, &base(mount), cookie).await == 200
    }

    /// Fails unless what became of a login that was ended is what its strategy promises.
    pub async fn assert_ended(&self, mount: &Description, cookie: &str) {
        let slug = mount.slug;
        match mount.promise {
            // A push has the node that revokes behind it already.
            Promise::Immediate | Promise::Push { .. } => {
                assert!(!self.accepts(mount, cookie).await, "{slug}: accepted after its end");
            }
            Promise::Expiry { .. } => assert!(self.accepts(mount, cookie).await, "{slug}: refused before its time"),
        }
    }

    /// Moves the clock by the longest that a login which was ended may go on.
    pub fn wait_for_expiry(&self) {
        let bounds = self.mounts().iter().map(|mount| match mount.promise {
            Promise::Immediate => 0,
            Promise::Push { bound_ms } | Promise::Expiry { bound_ms } => bound_ms,
        });
        self.app.clock.advance(Duration::from_millis(bounds.max().unwrap_or(0)));
    }
}

/// Where a mount stands.
pub fn base(mount: &Description) -> String {
    format!("/{}", mount.slug)
}

/// A user name that no other mount's test takes.
pub fn name(mount: &Description, rest: &str) -> String {
    format!("{}-{rest}", mount.slug)
}
