//! Whose logins a node revokes when a user has ended: at its start what is pending, during an outage what failed.

use jwt_vs_session::auth::{Backend, Description};
use jwt_vs_session::clock::Clock;
use jwt_vs_session::identity::UserId;
use jwt_vs_session::store::Sql;
use jwt_vs_session::store::ended_users::EndedUsers;
use jwt_vs_session::store::users::Users;
use sea_orm::{ConnectionTrait as _, Statement};
use tempfile::TempDir;

use super::server::base;
use crate::common::{RedisServer, TestApp, folder, log_in, me, postgres_database, until};

const SECRET: &str = "a secret of this test, 32 bytes long";

/// A database and a Redis that outlive the nodes.
struct OutlivingStores {
    database: String,
    redis: RedisServer,
    sql: Sql,
    _folder: TempDir,
}

impl OutlivingStores {
    async fn on(database: impl FnOnce(&TempDir) -> String) -> Self {
        let folder = folder();
        let (database, redis) = (database(&folder), RedisServer::start().await);
        let sql = Sql::open(&database.parse().expect("a url")).await.expect("a database");
        Self { database, redis, sql, _folder: folder }
    }

    async fn both() -> [Self; 2] {
        let postgres = postgres_database().await;
        let sqlite = |folder: &TempDir| format!("sqlite://{}/outlives.db?mode=rwc", folder.path().display());
        [Self::on(sqlite).await, Self::on(|_| postgres).await]
    }

    async fn node(&self) -> TestApp {
        self.node_with(&self.redis.url()).await
    }

    async fn node_with(&self, redis: &str) -> TestApp {
        TestApp::start(&["--database-url", &self.database, "--redis-url", redis, "--jwt-secret", SECRET]).await
    }

    fn ended_users(&self) -> EndedUsers {
        EndedUsers::new(self.sql.clone(), Clock::system())
    }

    async fn id(&self, name: &str) -> UserId {
        Users::new(self.sql.clone()).find(name).await.expect("an answer").expect("a user").id
    }

    /// The end of a user that `user disable` writes.
    async fn disable(&self, name: &str) {
        assert!(self.ended_users().disable(self.id(name).await).await.expect("an answer"));
    }

    async fn enable(&self, name: &str) {
        assert!(self.ended_users().enable(self.id(name).await).await.expect("an answer"));
    }

    /// How often the logins of the user were revoked: each revoke raises some number of the user's.
    async fn revokes(&self, name: &str) -> i64 {
        let id = self.id(name).await;
        let generation = Users::new(self.sql.clone()).generation(id).await.expect("an answer").expect("a user");
        let sum = "SELECT CAST(COALESCE(SUM(generation), 0) AS BIGINT) AS raised FROM cut_offs WHERE user_id = $1";
        let sum = Statement::from_sql_and_values(self.sql.pool().get_database_backend(), sum, [id.0.into()]);
        let row = self.sql.pool().query_one_raw(sum).await.expect("an answer").expect("a row");
        generation + row.try_get::<i64>("", "raised").expect("a number")
    }

    /// Rows whose logins in the database no node has revoked yet.
    async fn pending(&self) -> usize {
        let ended = self.ended_users().since(Clock::system().now()).await.expect("an answer");
        ended.iter().filter(|ended| !ended.is_done_in_sql).count()
    }
}

/// A login of the user under each mount that can revoke one.
async fn logins(app: &TestApp, user: &str) -> Vec<(Description, String)> {
    let mut logins = Vec::new();
    for mount in app.strategies.iter().filter(|mount| !mount.promise.only_expires()) {
        logins.push((mount.clone(), log_in(app, &base(mount), mount.transport.cookie, user).await));
    }
    logins
}

async fn until_refused(app: &TestApp, logins: &[(Description, String)]) {
    for (mount, cookie) in logins {
        until(&format!("{} refuses", mount.slug), async || me(app, &base(mount), cookie).await == 401).await;
    }
}

#[tokio::test]
async fn a_start_repeats_nothing_that_was_done() {
    for place in OutlivingStores::both().await {
        let first = place.node().await;
        let alice = logins(&first, "alice").await;
        place.disable("alice").await;
        until_refused(&first, &alice).await;
        // Redis has its note last.
        let notes = async || place.redis.keys().await.iter().any(|key| key.starts_with("{jvs}:ended:"));
        until("the node has noted it", async || place.pending().await == 0 && notes().await).await;
        let revokes = place.revokes("alice").await;
        assert!(revokes > 0);
        first.stop().await;
        for _ in 0..2 {
            let later = place.node().await;
            until_refused(&later, &alice).await;
            // The node has looked at the database: it has ended bob's logins.
            let bob = logins(&later, "bob").await;
            place.disable("bob").await;
            until_refused(&later, &bob).await;
            place.enable("bob").await;
            later.stop().await;
            assert_eq!(place.revokes("alice").await, revokes, "a start has revoked them again");
        }
    }
}

/// Whoever may log in again must not find the old logins open in a Redis that was away.
#[tokio::test]
async fn logins_in_a_redis_that_was_away_end_at_the_next_start_with_it() {
    for place in OutlivingStores::both().await {
        let first = place.node().await;
        let alice = logins(&first, "alice").await;
        first.stop().await;
        let without = place.node_with("none").await;
        place.disable("alice").await;
        until("the database has its note", async || place.pending().await == 0).await;
        place.enable("alice").await;
        without.stop().await;
        let later = place.node().await;
        for (mount, cookie) in &alice {
            // On a busy machine Redis may answer too late for the start: then the login is unavailable for a while.
            let refuses = async || {
                let status = me(&later, &base(mount), cookie).await;
                assert!(matches!(status, 401 | 503), "{}: {status}, an old login is back", mount.slug);
                status == 401
            };
            until(&format!("{} refuses the old login", mount.slug), refuses).await;
        }
        let again = logins(&later, "alice").await;
        later.stop().await;
        let last = place.node().await;
        for (mount, cookie) in again.iter().filter(|(mount, _)| mount.backend != Backend::None) {
            let accepts = async || me(&last, &base(mount), cookie).await == 200;
            until(&format!("{} accepts a later login", mount.slug), accepts).await;
        }
    }
}

#[tokio::test]
async fn during_an_outage_only_the_mounts_that_failed_are_repeated() {
    for place in OutlivingStores::both().await {
        let node = place.node().await;
        let (alice, bob) = (logins(&node, "alice").await, logins(&node, "bob").await);
        let on_sql = |logins: &[(Description, String)]| {
            logins.iter().filter(|(mount, _)| mount.backend == Backend::Sql).cloned().collect::<Vec<_>>()
        };
        let generation =
            async |name| Users::new(place.sql.clone()).generation(place.id(name).await).await.expect("an answer");
        place.redis.freeze();
        place.disable("alice").await;
        until_refused(&node, &on_sql(&alice)).await;
        let once = generation("alice").await;
        place.disable("bob").await;
        until_refused(&node, &on_sql(&bob)).await;
        assert_eq!(generation("alice").await, once, "the SQL database was not in trouble");
        place.redis.thaw();
        for (mount, cookie) in &[alice, bob].concat() {
            let refuses = async || {
                let status = me(&node, &base(mount), cookie).await;
                assert!(matches!(status, 401 | 503), "{}: {status}, although the user is disabled", mount.slug);
                status == 401
            };
            until(&format!("{} refuses", mount.slug), refuses).await;
        }
    }
}

/// Redis comes back with every record, and the node has not yet revoked the logins in it.
#[tokio::test]
async fn a_node_that_started_without_an_answer_of_redis_lets_nobody_in_who_has_ended() {
    for place in OutlivingStores::both().await {
        let first = place.node().await;
        let (alice, bob) = (logins(&first, "alice").await, logins(&first, "bob").await);
        first.stop().await;
        place.disable("alice").await;
        place.redis.freeze();
        let later = place.node().await;
        let in_redis = |logins: &[(Description, String)]| {
            logins.iter().filter(|(mount, _)| mount.backend == Backend::Redis).cloned().collect::<Vec<_>>()
        };
        place.redis.thaw();
        for (mount, cookie) in &in_redis(&alice) {
            let refuses = async || {
                let status = me(&later, &base(mount), cookie).await;
                assert!(matches!(status, 401 | 503), "{}: {status}, although alice is disabled", mount.slug);
                status == 401
            };
            until(&format!("{} refuses alice", mount.slug), refuses).await;
        }
        for (mount, cookie) in &in_redis(&bob) {
            let accepts = async || me(&later, &base(mount), cookie).await == 200;
            until(&format!("{} accepts bob", mount.slug), accepts).await;
        }
    }
}
