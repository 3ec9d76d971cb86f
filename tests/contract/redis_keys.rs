//! What is in Redis: every key has an end, no index names what is gone, no key or value opens anything.

use std::collections::BTreeSet;
use std::time::Duration;

use jwt_vs_session::auth::{Grant, RevokeScope};
use jwt_vs_session::identity::UserId;
use jwt_vs_session::trace::Trace;
use redis::from_redis_value;
use secrecy::ExposeSecret;

use super::subjects::{ABSOLUTE, Bench, LIFE, TICK};
use crate::common::RedisServer;

async fn pttl(redis: &RedisServer, key: &str) -> i64 {
    from_redis_value(redis.command(&["PTTL", key]).await).expect("milliseconds")
}

async fn index(redis: &RedisServer, user: UserId) -> BTreeSet<String> {
    let key = format!("{{jvs}}:u:{user}");
    from_redis_value(redis.command(&["ZRANGE", &key, "0", "-1"]).await).expect("members")
}

fn names(grants: &[&Grant]) -> BTreeSet<String> {
    grants.iter().map(|grant| grant.identity.login.to_string()).collect()
}

async fn assert_lives(bench: &Bench, when: &str) {
    let keys = bench.redis.keys().await;
    assert!(!keys.is_empty(), "{when}: nothing to look at");
    for key in keys {
        let left = pttl(&bench.redis, &key).await;
        let most = i64::try_from(ABSOLUTE.as_millis()).expect("it fits");
        assert!((1..=most).contains(&left), "{when}: {key} has {left} ms");
        assert!(key.starts_with("{jvs}:"), "{when}: {key} has no prefix");
    }
}

#[tokio::test]
async fn every_key_has_a_time_to_live_after_every_write() {
    let bench = Bench::start().await;
    let (subject, who) = (bench.session_on_redis(), bench.alice().await);
    let first = subject.log_in(&who).await;
    assert_lives(&bench, "after a login").await;
    let second = subject.log_in(&who).await;
    subject.log_in(&bench.bob().await).await;
    assert_lives(&bench, "after more logins").await;
    bench.clock.advance(LIFE / 2);
    assert!(subject.accepts(&first).await);
    assert_lives(&bench, "after a sliding write").await;
    subject.revoke(&second, RevokeScope::This).await;
    assert_lives(&bench, "after a log out").await;
}

#[tokio::test]
async fn a_key_lives_as_long_as_its_login_and_the_index_as_long_as_the_last_one() {
    let bench = Bench::start().await;
    let (subject, who) = (bench.session_on_redis(), bench.alice().await);
    let begun = std::time::Instant::now();
    let grant = subject.log_in(&who).await;
    let short = (subject.living)(LIFE / 6);
    short.issue(&who, &jwt_vs_session::identity::Device::default(), &Trace::default()).await.expect("a login");
    let record = pttl(&bench.redis, &format!("{{jvs}}:s:{}", grant.identity.login)).await;
    let listed = pttl(&bench.redis, &format!("{{jvs}}:u:{}", who.id)).await;
    let most = i64::try_from(LIFE.as_millis()).expect("it fits");
    let least = most - i64::try_from(begun.elapsed().as_millis()).expect("it fits") - 1;
    assert!((least..=most).contains(&record), "{record} ms for the record");
    assert!((least..=most).contains(&listed), "{listed} ms for the index: a shorter login must not shorten it");
}

#[tokio::test]
async fn redis_itself_forgets_a_session_when_its_time_is_over() {
    let bench = Bench::start().await;
    let short = (bench.session_on_redis().living)(Duration::from_millis(50));
    short
        .issue(&bench.alice().await, &jwt_vs_session::identity::Device::default(), &Trace::default())
        .await
        .expect("a login");
    crate::common::until("Redis has dropped record and index", async || bench.redis.keys().await.is_empty()).await;
}

#[tokio::test]
async fn the_index_names_no_login_that_expired_or_ended() {
    let bench = Bench::start().await;
    let (subject, who) = (bench.session_on_redis(), bench.alice().await);
    let old = subject.log_in(&who).await;
    bench.clock.advance(TICK);
    let kept = subject.log_in(&who).await;
    bench.go_to(old.identity.expires_at);
    let new = subject.log_in(&who).await;
    assert_eq!(index(&bench.redis, who.id).await, names(&[&kept, &new]), "after a login");
    bench.go_to(new.identity.expires_at - TICK);
    assert!(subject.accepts(&new).await);
    assert_eq!(index(&bench.redis, who.id).await, names(&[&new]), "after a sliding write");
    let last = subject.log_in(&who).await;
    subject.revoke(&new, RevokeScope::This).await;
    assert_eq!(index(&bench.redis, who.id).await, names(&[&last]), "after a log out");
    subject.revoke(&last, RevokeScope::Other(last.identity.login.clone())).await;
    assert_eq!(index(&bench.redis, who.id).await, names(&[]), "after the last one");
}

#[tokio::test]
async fn a_log_out_everywhere_leaves_no_key_of_the_user() {
    let bench = Bench::start().await;
    let (subject, who, other) = (bench.session_on_redis(), bench.alice().await, bench.bob().await);
    let grant = subject.log_in(&who).await;
    for _ in 0..20 {
        subject.log_in(&who).await;
    }
    let theirs = subject.log_in(&other).await;
    subject.revoke(&grant, RevokeScope::Everywhere).await;
    let left = [format!("{{jvs}}:s:{}", theirs.identity.login), format!("{{jvs}}:u:{}", other.id)];
    assert_eq!(bench.redis.keys().await, left);
}

#[tokio::test]
async fn nothing_in_redis_is_a_credential() {
    let bench = Bench::start().await;
    let subject = bench.session_on_redis();
    let grant = subject.log_in(&bench.alice().await).await;
    let credential = grant.credential.expose_secret();
    for key in bench.redis.keys().await {
        let dump: Vec<u8> = from_redis_value(bench.redis.command(&["DUMP", &key]).await).expect("bytes");
        assert!(!key.contains(credential), "{key}");
        assert!(!String::from_utf8_lossy(&dump).contains(credential), "the value of {key}");
        let name = key.rsplit(':').next().expect("a name").to_owned();
        assert_eq!(subject.identify(&name.into()).await, None, "{key} logs in");
    }
}

#[tokio::test]
async fn a_request_with_a_session_is_one_command_and_a_thousand_anonymous_ones_are_none() {
    let bench = Bench::start().await;
    let subject = bench.session_on_redis();
    let grant = subject.log_in(&bench.alice().await).await;
    let begun = bench.redis.commands_processed().await;
    let asking = bench.redis.commands_processed().await - begun;
    assert!(subject.accepts(&grant).await);
    let after = bench.redis.commands_processed().await;
    assert_eq!(after - begun - 2 * asking, 1, "commands for one request");
    for _ in 0..1_000 {
        assert_eq!(subject.identify(&"not a session id".to_owned().into()).await, None);
        let nothing = jwt_vs_session::auth::Credentials::new(None);
        assert_eq!(subject.strategy.identify(&nothing, &Trace::default()).await.expect("an answer"), None);
    }
    let last = bench.redis.commands_processed().await;
    assert_eq!(last - after - asking, 0, "commands for requests without a session");
}
