//! The durable revocations, in SQLite.

use super::*;

const LIFE: Duration = Duration::from_mins(30);
const TICK: Duration = Duration::from_millis(1);

struct RevocationDatabase {
    clock: Clock,
    sql: Sql,
    _folder: tempfile::TempDir,
}

impl RevocationDatabase {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
        let sql = Sql::open(&url.parse().expect("a valid url")).await.expect("a database");
        Self { clock: Clock::manual(Timestamp::from_millis(1_800_000_000_123)), sql, _folder: folder }
    }

    fn revocations(&self, scope: &'static str) -> Revocations {
        Revocations::new(scope, self.sql.clone(), LIFE, self.clock.clone())
    }

    async fn rows(&self) -> usize {
        revoked_logins::Entity::find().all(self.sql.pool()).await.expect("rows").len()
    }
}

#[tokio::test]
async fn a_node_reads_each_revocation_until_what_it_revokes_has_expired() {
    let database = RevocationDatabase::open().await;
    let (one, other) = (database.revocations("one"), database.revocations("other"));
    let (user, now, login) = (UserId::random(), database.clock.now(), LoginId::random());
    one.revoke(user, &login, now + LIFE).await.expect("a revoke");
    one.raise_generation(user).await.expect("a revoke");
    let revoked = Revocation::Login(user, login.clone(), now + LIFE);
    let raised = Revocation::Generation(user, 1, now + LIFE);
    assert_eq!(one.all().await.expect("revocations"), [revoked, raised.clone()]);
    assert_eq!(other.all().await.expect("revocations"), [], "of another strategy");
    database.clock.advance(LIFE.saturating_sub(TICK));
    assert_eq!(one.all().await.expect("revocations").len(), 2);
    assert_eq!(one.raised_generations().await.expect("generations"), [(user, now)]);
    database.clock.advance(TICK);
    assert_eq!(one.all().await.expect("revocations"), []);
    assert_eq!(one.revoked_logins().await.expect("logins"), []);
}

#[tokio::test]
async fn the_sweep_deletes_revocations_of_expired_logins_and_no_others() {
    let database = RevocationDatabase::open().await;
    let (one, user, now) = (database.revocations("one"), UserId::random(), database.clock.now());
    one.revoke(user, &LoginId::random(), now + LIFE).await.expect("a revoke");
    one.revoke(user, &LoginId::random(), now + LIFE + TICK).await.expect("a revoke");
    database.clock.advance(LIFE.saturating_sub(TICK));
    delete_expired(database.sql.clone(), database.clock.clone()).await.expect("a sweep");
    assert_eq!(database.rows().await, 2);
    database.clock.advance(TICK);
    delete_expired(database.sql.clone(), database.clock.clone()).await.expect("a sweep");
    assert_eq!(database.rows().await, 1);
}
