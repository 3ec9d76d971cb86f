//! What a store does with records: it overwrites none, lists none that has expired, and survives garbage.

use std::sync::{Arc, Mutex};

use jwt_vs_session::auth::RevokeScope;
use jwt_vs_session::store::sessions::LoginRecord;
use jwt_vs_session::telemetry;
use secrecy::ExposeSecret;
use serde_json::json;
use tower_sessions::session::{Id, Record};

use super::fixture::{Fixture, LIFE, TICK};
use super::strategy_under_test::{StrategyUnderTest, session_id, stored, stored_login};

pub async fn opaque_session_ids_have_records(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    assert_eq!(stored_login(&node.records(), &grant).await.user, grant.identity.subject.id);
}

pub async fn creating_a_record_under_a_taken_id_overwrites_nothing(fixture: Fixture, node: StrategyUnderTest) {
    let store = node.records();
    let (mine, theirs) = (node.log_in(&fixture.alice().await).await, node.log_in(&fixture.bob().await).await);
    let mut second = Record { id: session_id(&mine), ..stored(&store, &theirs).await };
    store.create(&mut second).await.expect("another id is found");
    assert_ne!(second.id, session_id(&mine));
    assert_eq!(stored_login(&store, &mine).await.user, mine.identity.subject.id, "overwritten");
    let found = store.load(&second.id).await.expect("an answer").expect("a record");
    let login = LoginRecord::from_record(&found).expect("a login");
    assert_eq!(login.user, theirs.identity.subject.id);
}

pub async fn a_record_comes_back_as_it_was_stored(fixture: Fixture, node: StrategyUnderTest) {
    let store = node.records();
    let grant = node.log_in_from(&fixture.bob().await, "Fïrefox \"on\"\n\u{1f980} {jvs}").await;
    let record = stored_login(&store, &grant).await;
    let listed = store.of_user(record.user).await.expect("an answer");
    assert_eq!(listed, [(grant.identity.login.clone(), record.clone())]);
    assert_eq!(record.device, "Fïrefox \"on\"\n\u{1f980} {jvs}");
    let changed = LoginRecord { device: "another".into(), ..record };
    let data = [("login".to_owned(), json!(changed))].into();
    let whole = Record { data, ..stored(&store, &grant).await };
    store.save(&whole).await.expect("it is there");
    assert_eq!(stored_login(&store, &grant).await, changed);
}

pub async fn a_record_without_a_login_is_not_stored(fixture: Fixture, node: StrategyUnderTest) {
    let store = node.records();
    let grant = node.log_in(&fixture.alice().await).await;
    let before = stored(&store, &grant).await;
    let mut empty = Record { data: [("other".to_owned(), json!(1))].into(), ..before.clone() };
    assert!(store.save(&empty).await.is_err());
    assert!(store.create(&mut empty).await.is_err());
    assert_eq!(stored(&store, &grant).await, before);
}

/// The user's index outlives a record that has expired: it is there for the next one.
pub async fn a_store_lists_no_record_that_has_expired(fixture: Fixture, node: StrategyUnderTest) {
    let store = node.records();
    let who = fixture.alice().await;
    let first = node.log_in(&who).await;
    fixture.clock.advance(LIFE / 2);
    let second = node.log_in(&who).await;
    assert_eq!(store.of_user(who.id).await.expect("an answer").len(), 2);
    fixture.go_to(first.identity.expires_at);
    let listed = store.of_user(who.id).await.expect("an answer");
    let listed: Vec<_> = listed.into_iter().map(|(login, _)| login).collect();
    assert_eq!(listed, [second.identity.login]);
}

/// Whenever the store deletes it.
pub async fn a_store_finds_a_record_until_the_millisecond_before_its_expiry(fixture: Fixture, node: StrategyUnderTest) {
    let (store, grant) = (node.records(), node.log_in(&fixture.alice().await).await);
    let found = async || store.find(&grant.identity.login).await.expect("an answer").is_some();
    fixture.go_to(grant.identity.expires_at - TICK);
    assert!(found().await, "a millisecond before its expiry");
    fixture.go_to(grant.identity.expires_at);
    assert!(!found().await, "at its expiry");
}

/// Redis drops a record by its own clock, which a check cannot move: there a late write finds no key.
pub async fn a_late_write_does_not_revive_an_expired_record(fixture: Fixture, node: StrategyUnderTest) {
    let store = node.records();
    let grant = node.log_in(&fixture.alice().await).await;
    let written = stored_login(&store, &grant).await;
    fixture.go_to(grant.identity.expires_at);
    let late = LoginRecord { expires: fixture.clock.now() + LIFE, ..written };
    assert!(!store.touch(&session_id(&grant), &late).await.expect("an answer"));
    assert!(!node.accepts(&grant).await, "back after its expiry");
}

pub async fn a_thousand_made_up_ids_are_refused_and_leave_nothing(fixture: Fixture, node: StrategyUnderTest) {
    for _ in 0..1_000 {
        let made_up = Id::default().to_string();
        assert_eq!(node.identify(&made_up.into()).await, None);
    }
    assert_eq!(fixture.keys_left().await, [""; 0]);
}

pub async fn a_garbage_record_is_refused_with_one_logged_error(fixture: Fixture, node: StrategyUnderTest) {
    let redis = fixture.connect();
    let template = json!(stored_login(&node.records(), &node.log_in(&fixture.alice().await).await).await);
    let mut half = template.clone();
    half.as_object_mut().expect("an object").remove("u");
    let mut wrong = template.clone();
    wrong["u"] = json!(7);
    let deep = "[".repeat(5_000);
    let garbage: [&[u8]; 12] = [
        b"",
        b"garbage",
        b"null",
        b"0",
        b"[]",
        b"{}",
        b"{",
        br#""text""#,
        &[0xff, 0xfe, 0x00],
        deep.as_bytes(),
        &serde_json::to_vec(&half).expect("JSON"),
        &serde_json::to_vec(&wrong).expect("JSON"),
    ];
    for bytes in garbage {
        let what = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        let who = fixture.alice().await;
        let grant = node.log_in(&who).await;
        let record = fixture.key_of(&grant.identity.login).await;
        let index = fixture.key_of(&who.id).await;
        let mut set = redis::cmd("SET");
        set.arg(&record).arg(bytes).arg("KEEPTTL");
        redis.query::<()>(&set).await.expect("it is set");
        let (found, log) = logged(node.identify(&grant.credential)).await;
        assert_eq!(found, None, "{what:?}");
        assert_eq!(log.lines().count(), 1, "{what:?}: {log}");
        assert!(log.contains("ERROR") && log.contains(grant.identity.login.as_str()), "{what:?}: {log}");
        assert!(!log.contains(grant.credential.expose_secret()), "{what:?}: the credential is in the log");
        assert_eq!(node.logins(&who).await, Some(Vec::new()), "{what:?} is listed");
        node.revoke(&grant, RevokeScope::This).await;
        let mut exists = redis::cmd("EXISTS");
        exists.arg(record).arg(index);
        assert_eq!(redis.query::<u32>(&exists).await.expect("a count"), 0, "{what:?}: stays after a log out");
    }
}

/// Returns what the server writes to its log meanwhile. For checks on one thread.
async fn logged<T>(call: impl Future<Output = T>) -> (T, String) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_env_filter(telemetry::QUIET).with_ansi(false);
    let guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());
    let answer = call.await;
    drop(guard);
    let bytes = log.0.lock().expect("a log").clone();
    (answer, String::from_utf8(bytes).expect("text"))
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
