//! A revoked login stays revoked: Redis restarted empty or from a snapshot, the push channel cut, Redis stopped.
#![allow(clippy::expect_used, clippy::print_stdout)]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::RedisServer;
use jwt_vs_session::auth::{
    AuthStrategy, Backend, Credentials, Grant, Keys, Promise, RevocableJwtStrategy, RevokeScope, SessionLimits,
    SessionStrategy,
};
use jwt_vs_session::clock::Clock;
use jwt_vs_session::identity::{Device, Role, Subject, UserId};
use jwt_vs_session::store::revocations::Revocations;
use jwt_vs_session::store::sessions::{RedisSessions, TrackedSessions};
use jwt_vs_session::store::{Redis, Sql};
use jwt_vs_session::trace::Trace;
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;

const LIFE: Duration = Duration::from_mins(15);

/// The promised bound while the push channel is cut.
const BOUND: Duration = Duration::from_millis(500);

/// One Redis and one database, for any number of nodes.
struct Stores {
    redis: RedisServer,
    folder: TempDir,
}

impl Stores {
    async fn start() -> Self {
        Self { redis: RedisServer::start().await, folder: common::folder() }
    }

    fn redis(&self) -> Redis {
        Redis::open(&self.redis.url().parse().expect("a url")).expect("a connection")
    }

    async fn sql(&self) -> Sql {
        let url = format!("sqlite://{}/test.db?mode=rwc", self.folder.path().display());
        Sql::open(&url.parse().expect("a url")).await.expect("a database")
    }

    /// The strategies of one node that use Redis, over new connections.
    async fn node(&self) -> Vec<Arc<dyn AuthStrategy>> {
        let secret = SecretString::from("0123456789abcdef0123456789abcdef");
        let keys = Arc::new(Keys::from_secret(&secret).expect("a key"));
        let (sql, clock) = (self.sql().await, Clock::system());
        let limits = SessionLimits { idle: LIFE, absolute: LIFE };
        let revocations = |mount| Revocations::new(mount, sql.clone(), LIFE, clock.clone());
        let tracked = TrackedSessions::new(&self.redis(), revocations("session-tracked"), clock.clone());
        let session = RedisSessions::new(&self.redis(), revocations("session"), clock.clone());
        vec![
            Arc::new(RevocableJwtStrategy::blocklist(keys.clone(), sql.clone(), &self.redis(), LIFE, clock.clone())),
            Arc::new(RevocableJwtStrategy::pushed(keys, sql, self.redis(), LIFE, clock.clone())),
            Arc::new(SessionStrategy::shared(Arc::new(session), Backend::Redis, None, limits, clock.clone())),
            Arc::new(SessionStrategy::tracked(Arc::new(tracked), limits, clock)),
        ]
    }
}

fn alice() -> Subject {
    Subject { id: UserId::random(), name: "alice".into(), role: Role::User }
}

async fn open(node: &dyn AuthStrategy, subject: &Subject) -> Grant {
    let mut grant = None;
    // The node may not have reconnected yet.
    common::until("a login is opened", async || {
        grant = node.issue(subject, &Device::default(), &Trace::off()).await.ok();
        grant.is_some()
    })
    .await;
    grant.expect("a login")
}

fn credentials(grant: &Grant) -> Credentials {
    Credentials::new(Some(grant.credential.expose_secret().to_owned()))
}

/// Whether the node accepts the credential. False also when a store fails.
async fn accepts(node: &dyn AuthStrategy, credentials: &Credentials) -> bool {
    matches!(node.identify(credentials, &Trace::off()).await, Ok(Some(_)))
}

async fn until_accepted(node: &dyn AuthStrategy, credentials: &Credentials) {
    let slug = node.describe().slug;
    common::until(&format!("{slug} accepts"), async || accepts(node, credentials).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_restarted_empty_brings_back_none_of_a_thousand_logins() {
    let mut stores = Stores::start().await;
    let node = stores.node().await;
    let tokens = node.iter().filter(|node| node.describe().transport.bearer).collect::<Vec<_>>();
    let mut revoked = Vec::new();
    for node in &tokens {
        for _ in 0..500 {
            let grant = open(node.as_ref(), &alice()).await;
            node.revoke(&grant.identity, RevokeScope::This, &Trace::off()).await.expect("a log out");
            revoked.push((node.describe().slug, credentials(&grant)));
        }
    }
    stores.redis.restart().await;
    let fresh = stores.node().await;
    let mut accepted = 0;
    for node in tokens.into_iter().chain(fresh.iter().filter(|node| node.describe().transport.bearer)) {
        common::until("Redis answers the node", async || {
            node.identify(&revoked[0].1, &Trace::off()).await.is_ok() && !accepts(node.as_ref(), &revoked[0].1).await
        })
        .await;
        for (_, credentials) in revoked.iter().filter(|(slug, _)| *slug == node.describe().slug) {
            accepted += usize::from(accepts(node.as_ref(), credentials).await);
        }
    }
    println!("{} revoked logins after Redis was restarted empty: {accepted} accepted", revoked.len());
    assert_eq!(accepted, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_restores_a_snapshot_brings_no_login_back_and_keeps_the_others() {
    let folder = common::folder();
    let redis = RedisServer::start_with(&["--dir", &folder.path().display().to_string()]).await;
    let mut stores = Stores { redis, folder };
    let node = stores.node().await;
    let mut logins = Vec::new();
    for strategy in &node {
        let login = async || {
            let grant = open(strategy.as_ref(), &alice()).await;
            until_accepted(strategy.as_ref(), &credentials(&grant)).await;
            grant
        };
        logins.push((login().await, login().await, login().await));
    }
    stores.redis.command(&["SAVE"]).await;
    for (strategy, (_, single, everywhere)) in node.iter().zip(&logins) {
        strategy.revoke(&single.identity, RevokeScope::This, &Trace::off()).await.expect("a log out");
        strategy.revoke(&everywhere.identity, RevokeScope::Everywhere, &Trace::off()).await.expect("a log out");
    }
    stores.redis.restart().await;
    // The record is back: the server refuses the login for another reason than its absence.
    let restored = stores.redis.keys().await;
    let session = format!("{{jvs}}:s:{}", logins[2].1.identity.login);
    assert!(restored.contains(&session), "the snapshot holds the revoked session: {restored:?}");
    let fresh = stores.node().await;
    for (place, (stays, single, everywhere)) in logins.iter().enumerate() {
        for strategy in [&node[place], &fresh[place]] {
            for revoked in [single, everywhere] {
                for _ in 0..20 {
                    assert!(!accepts(strategy.as_ref(), &credentials(revoked)).await, "{}", strategy.describe().slug);
                }
            }
            until_accepted(strategy.as_ref(), &credentials(stays)).await;
            for revoked in [single, everywhere] {
                assert!(!accepts(strategy.as_ref(), &credentials(revoked)).await, "{}", strategy.describe().slug);
            }
        }
    }
}

/// Redis does not have the records at the time of the revoke, and has them again later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_out_everywhere_revokes_logins_that_redis_had_lost_and_restores_later() {
    let folder = common::folder();
    let redis = RedisServer::start_with(&["--dir", &folder.path().display().to_string()]).await;
    let mut stores = Stores { redis, folder };
    let node = stores.node().await;
    let mut logins = Vec::new();
    for strategy in &node {
        let grant = open(strategy.as_ref(), &alice()).await;
        until_accepted(strategy.as_ref(), &credentials(&grant)).await;
        logins.push(grant);
    }
    stores.redis.command(&["SAVE"]).await;
    let snapshot = |name: &str| stores.folder.path().join(name);
    std::fs::rename(snapshot("dump.rdb"), snapshot("old.rdb")).expect("a snapshot");
    stores.redis.restart().await;
    for (strategy, grant) in node.iter().zip(&logins) {
        common::until("the log out is answered", async || {
            strategy.revoke(&grant.identity, RevokeScope::Everywhere, &Trace::off()).await.is_ok()
        })
        .await;
    }
    let snapshot = |name: &str| stores.folder.path().join(name);
    std::fs::rename(snapshot("old.rdb"), snapshot("dump.rdb")).expect("a snapshot");
    stores.redis.restart().await;
    assert!(!stores.redis.keys().await.is_empty(), "the snapshot is back");
    for (strategy, grant) in node.iter().zip(&logins) {
        let credentials = credentials(grant);
        common::until("Redis answers the node", async || {
            let answer = strategy.identify(&credentials, &Trace::off()).await;
            assert!(!matches!(answer, Ok(Some(_))), "{}: the login is back", strategy.describe().slug);
            answer.is_ok()
        })
        .await;
    }
}

/// Revokes on the first node after `cut`, and probes the second one until long after the bound.
async fn last_accepted(stores: &Stores, cut: impl AsyncFn(&Stores), then: impl AsyncFn(&Stores)) {
    let (first, second) = (stores.node().await, stores.node().await);
    for (here, there) in first.iter().zip(&second) {
        let Promise::Push { bound_ms } = here.describe().promise else { continue };
        assert!(Duration::from_millis(bound_ms) <= BOUND);
        let grant = open(here.as_ref(), &alice()).await;
        let credentials = credentials(&grant);
        until_accepted(there.as_ref(), &credentials).await;
        // From here on the second node uses its memory.
        for _ in 0..50 {
            accepts(there.as_ref(), &credentials).await;
        }
        cut(stores).await;
        // The node that revokes has lost its connection too, and reconnects by itself.
        common::until("the log out is answered", async || {
            here.revoke(&grant.identity, RevokeScope::This, &Trace::off()).await.is_ok()
        })
        .await;
        let answered = Instant::now();
        then(stores).await;
        let mut last = Duration::ZERO;
        while answered.elapsed() < 3 * BOUND {
            let probed = answered.elapsed();
            if accepts(there.as_ref(), &credentials).await {
                last = probed;
            }
            tokio::task::yield_now().await;
        }
        println!("{}: last accepted {last:?} after the answer", here.describe().slug);
        assert!(last <= BOUND, "{}: accepted {last:?} after the answer", here.describe().slug);
        stores.redis.thaw();
        common::until("Redis is back", async || here.identify(&credentials, &Trace::off()).await.is_ok()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_its_channel_cut_a_node_accepts_no_revoked_login_after_the_bound() {
    let stores = Stores::start().await;
    let cut = async |stores: &Stores| {
        for kind in ["pubsub", "normal"] {
            stores.redis.command(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"]).await;
        }
    };
    last_accepted(&stores, cut, async |_| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_stopped_no_revoked_login_is_accepted_after_the_bound() {
    let stores = Stores::start().await;
    last_accepted(&stores, async |_| {}, async |stores| stores.redis.freeze()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_hits_send_no_command_for_a_session() {
    let stores = Stores::start().await;
    let node = stores.node().await.pop().expect("session-tracked");
    let grant = open(node.as_ref(), &alice()).await;
    let credentials = credentials(&grant);
    until_accepted(node.as_ref(), &credentials).await;
    let gets = async || {
        let info = stores.redis.command(&["INFO", "commandstats"]).await;
        let info: String = redis::from_redis_value(info).expect("text");
        let line = info.lines().find(|line| line.starts_with("cmdstat_get:")).unwrap_or("").to_owned();
        line.split(['=', ',']).nth(1).and_then(|calls| calls.parse::<u64>().ok()).unwrap_or_default()
    };
    // Until the channel has proven that no push is missing, every check reads Redis; after a pause of the machine, too.
    common::until("ten thousand hits in a row have sent no command", async || {
        let (before, mut accepted) = (gets().await, 0);
        for _ in 0..10_000 {
            accepted += usize::from(accepts(node.as_ref(), &credentials).await);
        }
        let sent = gets().await - before;
        println!("{accepted} of 10,000 requests were accepted and sent {sent} GETs");
        (accepted, sent) == (10_000, 0)
    })
    .await;
}
