//! Users who end, in SQLite.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::identity::Role;
use crate::store::users::{User, Users};

struct UserDatabase {
    clock: Clock,
    users: Users,
    ended: EndedUsers,
    _folder: tempfile::TempDir,
}

impl UserDatabase {
    async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
        let sql = Sql::open(&url.parse().expect("a valid url")).await.expect("a database");
        let clock = Clock::manual(Timestamp::from_millis(1_800_000_000_123));
        Self { users: Users::new(sql.clone()), ended: EndedUsers::new(sql, clock.clone()), clock, _folder: folder }
    }

    async fn user(&self, name: &str) -> UserId {
        let (id, password_hash) = (UserId::random(), "none".to_owned());
        let user = User { id, name: name.to_owned(), role: Role::User, password_hash, is_disabled: false };
        assert!(self.users.insert(&user, name, self.clock.now()).await.expect("a user"));
        id
    }

    async fn is_disabled(&self, user: UserId) -> bool {
        self.users.get(user).await.expect("an answer").expect("a user").is_disabled
    }

    /// Those whose logins no node has ended.
    async fn pending(&self) -> Vec<EndedUser> {
        self.ended.since(self.clock.now()).await.expect("an answer")
    }

    async fn pending_users(&self) -> Vec<UserId> {
        self.pending().await.iter().map(|ended| ended.user).collect()
    }
}

#[tokio::test]
async fn a_user_is_disabled_and_enabled_once_each_and_the_logins_end_once() {
    let database = UserDatabase::open().await;
    let (alice, ended) = (database.user("alice").await, &database.ended);
    assert!(!ended.enable(alice).await.expect("an answer"), "not disabled");
    assert!(ended.disable(alice).await.expect("an answer") && database.is_disabled(alice).await);
    assert!(!ended.disable(alice).await.expect("an answer"), "disabled already");
    assert!(!ended.disable(UserId::random()).await.expect("an answer"), "nobody");
    assert_eq!(database.pending_users().await, [alice]);
    assert!(ended.enable(alice).await.expect("an answer") && !database.is_disabled(alice).await);
    assert_eq!(database.pending_users().await, [alice], "the logins stay ended");
}

#[tokio::test]
async fn only_a_user_who_was_there_is_deleted_and_leaves_logins_to_end() {
    let database = UserDatabase::open().await;
    let (alice, ended) = (database.user("alice").await, &database.ended);
    assert!(!ended.delete(UserId::random()).await.expect("an answer"), "nobody");
    assert_eq!(database.pending_users().await, []);
    assert!(ended.delete(alice).await.expect("an answer"));
    assert_eq!(database.users.get(alice).await.expect("an answer").map(|user| user.id), None);
    assert!(!ended.delete(alice).await.expect("an answer"), "deleted already");
    assert_eq!(database.pending_users().await, [alice]);
}

#[tokio::test]
async fn a_row_is_listed_until_its_logins_are_revoked_and_afterwards_for_as_long_as_one_asks() {
    let database = UserDatabase::open().await;
    let (ended, start) = (&database.ended, database.clock.now());
    let [disabled, deleted, reset] =
        [database.user("disabled").await, database.user("deleted").await, database.user("reset").await];
    database.clock.advance(Duration::from_millis(1));
    ended.disable(disabled).await.expect("an answer");
    ended.delete(deleted).await.expect("an answer");
    ended.end_logins(reset).await.expect("an answer");
    database.clock.advance(Duration::from_hours(1));
    let pending = database.pending().await;
    let users = |rows: &[EndedUser]| rows.iter().map(|row| row.user.0).collect::<BTreeSet<_>>();
    assert_eq!(users(&pending), BTreeSet::from([disabled.0, deleted.0, reset.0]), "however long ago");
    assert!(pending.iter().all(|row| !row.is_done_in_sql));
    ended.carried_out(&pending).await.expect("an answer");
    assert_eq!(database.pending_users().await, []);
    let done = ended.since(start).await.expect("an answer");
    assert!(users(&done) == users(&pending) && done.iter().all(|row| row.is_done_in_sql));
}

#[tokio::test]
async fn everybody_is_deleted_a_batch_at_a_time() {
    let database = UserDatabase::open().await;
    for number in 0..=BATCH {
        database.user(&format!("user{number}")).await;
    }
    assert_eq!(database.ended.delete_everybody().await.expect("an answer"), BATCH + 1);
    assert_eq!(database.pending().await.len() as u64, BATCH + 1);
    assert_eq!(database.users.list("", 10).await.expect("an answer").len(), 0);
}
