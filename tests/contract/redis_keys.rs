//! What the records of logins leave in Redis: every key expires, no index names a revoked login, nothing logs in.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jwt_vs_session::auth::{Credentials, Grant, RevokeScope};
use jwt_vs_session::identity::{Device, UserId};
use jwt_vs_session::trace::Trace;
use redis::from_redis_value;
use secrecy::ExposeSecret;

use super::fixture::{ABSOLUTE, Fixture, LIFE, TICK};
use super::strategy_under_test::StrategyUnderTest;
use crate::common::{RedisServer, until};

async fn pttl(redis: &RedisServer, key: &str) -> i64 {
    from_redis_value(redis.command(&["PTTL", key]).await).expect("milliseconds")
}

/// The logins in the index of a user. No index is an empty one.
async fn index(fixture: &Fixture, user: UserId) -> BTreeSet<String> {
    if !fixture.keys_left().await.iter().any(|key| key.ends_with(&format!(":{user}"))) {
        return BTreeSet::new();
    }
    let key = fixture.key_of(&user).await;
    from_redis_value(fixture.redis().command(&["ZRANGE", &key, "0", "-1"]).await).expect("members")
}

fn names(grants: &[&Grant]) -> BTreeSet<String> {
    grants.iter().map(|grant| grant.identity.login.to_string()).collect()
}

async fn assert_lives(fixture: &Fixture, when: &str) {
    let keys = fixture.keys_left().await;
    assert!(!keys.is_empty(), "{when}: nothing to look at");
    for key in keys {
        let left = pttl(fixture.redis(), &key).await;
        let most = i64::try_from(ABSOLUTE.as_millis()).expect("it fits");
        assert!((1..=most).contains(&left), "{when}: {key} has {left} ms");
        assert!(key.starts_with("{jvs}:"), "{when}: {key} has no prefix");
    }
}

pub async fn every_key_has_a_time_to_live_after_every_write(fixture: Fixture, node: StrategyUnderTest) {
    let who = fixture.alice().await;
    let first = node.log_in(&who).await;
    assert_lives(&fixture, "after a login").await;
    let second = node.log_in(&who).await;
    node.log_in(&fixture.bob().await).await;
    assert_lives(&fixture, "after more logins").await;
    fixture.clock.advance(LIFE / 2);
    assert!(node.accepts(&first).await);
    assert_lives(&fixture, "after a sliding write").await;
    node.revoke(&second, RevokeScope::This).await;
    assert_lives(&fixture, "after a log out").await;
}

pub async fn a_key_lives_as_long_as_its_login_and_the_index_as_long_as_the_last_login(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let who = fixture.alice().await;
    let begun = Instant::now();
    let grant = node.log_in(&who).await;
    let short = node.living(LIFE / 6);
    short.issue(&who, &Device::default(), &Trace::default()).await.expect("a login");
    let record = pttl(fixture.redis(), &fixture.key_of(&grant.identity.login).await).await;
    let listed = pttl(fixture.redis(), &fixture.key_of(&who.id).await).await;
    let most = i64::try_from(LIFE.as_millis()).expect("it fits");
    let least = most - i64::try_from(begun.elapsed().as_millis()).expect("it fits") - 1;
    assert!((least..=most).contains(&record), "{record} ms for the record");
    assert!((least..=most).contains(&listed), "{listed} ms for the index: a shorter login must not shorten it");
}

pub async fn redis_deletes_an_expired_session_by_itself(fixture: Fixture, node: StrategyUnderTest) {
    let short = node.living(Duration::from_millis(50));
    short.issue(&fixture.alice().await, &Device::default(), &Trace::default()).await.expect("a login");
    until("Redis has dropped record and index", async || fixture.keys_left().await.is_empty()).await;
}

pub async fn the_index_names_no_expired_or_revoked_login(fixture: Fixture, node: StrategyUnderTest) {
    let who = fixture.alice().await;
    let old = node.log_in(&who).await;
    fixture.clock.advance(TICK);
    let kept = node.log_in(&who).await;
    fixture.go_to(old.identity.expires_at);
    let new = node.log_in(&who).await;
    assert_eq!(index(&fixture, who.id).await, names(&[&kept, &new]), "after a login");
    fixture.go_to(new.identity.expires_at - TICK);
    assert!(node.accepts(&new).await);
    assert_eq!(index(&fixture, who.id).await, names(&[&new]), "after a sliding write");
    let last = node.log_in(&who).await;
    node.revoke(&new, RevokeScope::This).await;
    assert_eq!(index(&fixture, who.id).await, names(&[&last]), "after a log out");
    node.revoke(&last, RevokeScope::Other(last.identity.login.clone())).await;
    assert_eq!(index(&fixture, who.id).await, names(&[]), "after the last one");
}

pub async fn a_log_out_everywhere_leaves_no_key_of_the_user(fixture: Fixture, node: StrategyUnderTest) {
    let (who, other) = (fixture.alice().await, fixture.bob().await);
    let grant = node.log_in(&who).await;
    for _ in 0..20 {
        node.log_in(&who).await;
    }
    let theirs = node.log_in(&other).await;
    node.revoke(&grant, RevokeScope::Everywhere).await;
    let mut left = [fixture.key_of(&theirs.identity.login).await, fixture.key_of(&other.id).await];
    left.sort();
    assert_eq!(fixture.keys_left().await, left);
}

pub async fn nothing_in_redis_logs_in(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    let credential = grant.credential.expose_secret();
    for key in fixture.keys_left().await {
        let dump: Vec<u8> = from_redis_value(fixture.redis().command(&["DUMP", &key]).await).expect("bytes");
        assert!(!key.contains(credential), "{key}");
        assert!(!String::from_utf8_lossy(&dump).contains(credential), "the value of {key}");
        let name = key.rsplit(':').next().expect("a name").to_owned();
        assert_eq!(node.identify(&name.into()).await, None, "{key} logs in");
    }
}

pub async fn a_check_is_one_command_and_an_anonymous_request_is_none(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    let begun = fixture.redis().commands_processed().await;
    let counting = fixture.redis().commands_processed().await - begun;
    assert!(node.accepts(&grant).await);
    let after = fixture.redis().commands_processed().await;
    assert_eq!(after - begun - 2 * counting, 1, "commands for one check");
    for _ in 0..1_000 {
        assert_eq!(node.identify(&"not a session id".to_owned().into()).await, None);
        let nothing = Credentials::new(None);
        assert_eq!(node.strategy.identify(&nothing, &Trace::default()).await.expect("an answer"), None);
    }
    let last = fixture.redis().commands_processed().await;
    assert_eq!(last - after - counting, 0, "commands for requests without a session");
}
