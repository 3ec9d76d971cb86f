//! What a session store does with records: never overwrites, never lists what is gone, never trips over garbage.

use std::sync::{Arc, Mutex};

use jwt_vs_session::auth::{Backend, RevokeScope};
use jwt_vs_session::identity::{LoginId, Role, UserId};
use jwt_vs_session::store::sessions::{LoginRecord, LoginStore as _, MemorySessions};
use jwt_vs_session::telemetry;
use secrecy::ExposeSecret;
use serde_json::json;
use tower_sessions::SessionStore as _;
use tower_sessions::session::{Id, Record};

use super::subjects::{Bench, LIFE, session_id, stored, stored_login};

#[tokio::test]
async fn creating_under_an_id_that_is_taken_overwrites_nothing_and_takes_another_id() {
    let bench = Bench::start().await;
    for (subject, store) in bench.with_records() {
        let (mine, theirs) = (subject.log_in(&bench.alice().await).await, subject.log_in(&bench.bob().await).await);
        let mut second = Record { id: session_id(&mine), ..stored(&store, &theirs).await };
        store.create(&mut second).await.expect("another id is found");
        assert_ne!(second.id, session_id(&mine), "{}", subject.name);
        assert_eq!(stored_login(&store, &mine).await.user, mine.identity.subject.id, "{}: overwritten", subject.name);
        let found = store.load(&second.id).await.expect("an answer").expect("a record");
        let login = LoginRecord::from_record(&found).expect("a login");
        assert_eq!(login.user, theirs.identity.subject.id, "{}", subject.name);
    }
}

#[tokio::test]
async fn a_record_comes_back_as_it_was_stored() {
    let bench = Bench::start().await;
    for (subject, store) in bench.with_records() {
        let grant = subject.log_in_from(&bench.bob().await, "Fïrefox \"on\"\n\u{1f980} {jvs}").await;
        let record = stored_login(&store, &grant).await;
        let listed = store.of_user(record.user).await.expect("an answer");
        assert_eq!(listed, [(grant.identity.login.clone(), record.clone())], "{}", subject.name);
        assert_eq!(record.device, "Fïrefox \"on\"\n\u{1f980} {jvs}", "{}", subject.name);
        let changed = LoginRecord { device: "another".into(), ..record };
        let data = [("login".to_owned(), json!(changed))].into();
        let whole = Record { data, ..stored(&store, &grant).await };
        store.save(&whole).await.expect("it is there");
        assert_eq!(stored_login(&store, &grant).await, changed, "{}", subject.name);
    }
}

#[tokio::test]
async fn a_record_without_a_login_is_not_stored() {
    let bench = Bench::start().await;
    for (subject, store) in bench.with_records() {
        let grant = subject.log_in(&bench.alice().await).await;
        let before = stored(&store, &grant).await;
        let mut empty = Record { data: [("other".to_owned(), json!(1))].into(), ..before.clone() };
        assert!(store.save(&empty).await.is_err(), "{}", subject.name);
        assert!(store.create(&mut empty).await.is_err(), "{}", subject.name);
        assert_eq!(stored(&store, &grant).await, before, "{}", subject.name);
    }
}

#[tokio::test]
async fn process_memory_holds_no_more_than_the_logins_that_are_alive() {
    let bench = Bench::start().await;
    let store = MemorySessions::new(bench.clock.clone());
    let base = LoginRecord {
        user: UserId::random(),
        name: "Alice".into(),
        role: Role::User,
        issued: bench.clock.now(),
        seen: bench.clock.now(),
        expires: bench.clock.now() + LIFE,
        absolute: bench.clock.now() + LIFE,
        device: "".into(),
        address: "".into(),
    };
    let record = |login: &LoginRecord| Record {
        id: Id::default(),
        data: [("login".to_owned(), json!(login))].into(),
        expiry_date: login.expires.to_date_time(),
    };
    for _ in 0..1_000 {
        store.create(&mut record(&base)).await.expect("it is stored");
    }
    assert_eq!(store.len(), 1_000);
    bench.clock.advance(LIFE);
    let later = LoginRecord { expires: bench.clock.now() + LIFE, ..base };
    store.create(&mut record(&later)).await.expect("it is stored");
    assert_eq!(store.len(), 1, "expired records are dropped");
    store.revoke_all(later.user).await.expect("they end");
    assert!(store.is_empty());
}

/// The user's index outlives a record that has expired: it is there for the next one.
#[tokio::test]
async fn a_store_lists_no_record_that_has_expired() {
    let bench = Bench::start().await;
    for (subject, store) in bench.with_records() {
        let who = bench.alice().await;
        let first = subject.log_in(&who).await;
        bench.clock.advance(LIFE / 2);
        let second = subject.log_in(&who).await;
        assert_eq!(store.of_user(who.id).await.expect("an answer").len(), 2, "{}", subject.name);
        bench.go_to(first.identity.expires_at);
        let listed = store.of_user(who.id).await.expect("an answer");
        let listed: Vec<_> = listed.into_iter().map(|(login, _)| login).collect();
        assert_eq!(listed, [second.identity.login], "{}", subject.name);
    }
}

/// Redis drops a record by its own clock, which nobody moves: there a late write finds no key.
#[tokio::test]
async fn a_late_write_does_not_revive_a_record_that_is_over() {
    let bench = Bench::start().await;
    let all = bench.with_records().into_iter();
    for (subject, store) in all.filter(|(subject, _)| subject.strategy.describe().backend != Backend::Redis) {
        let grant = subject.log_in(&bench.alice().await).await;
        let written = stored_login(&store, &grant).await;
        bench.go_to(grant.identity.expires_at);
        let late = LoginRecord { expires: bench.clock.now() + LIFE, ..written };
        assert!(!store.touch(&session_id(&grant), &late).await.expect("an answer"), "{}", subject.name);
        assert!(!subject.accepts(&grant).await, "{}: back after its end", subject.name);
    }
}

#[tokio::test]
async fn a_thousand_made_up_ids_are_refused_and_leave_nothing() {
    let bench = Bench::start().await;
    for (subject, _) in bench.with_records() {
        for _ in 0..1_000 {
            let made_up = Id::default().to_string();
            assert_eq!(subject.identify(&made_up.into()).await, None, "{}", subject.name);
        }
    }
    let keys = bench.redis.keys().await;
    eprintln!("1,000 made-up ids on each store left {} keys", keys.len());
    assert_eq!(keys, [""; 0]);
}

#[tokio::test]
async fn a_garbage_record_is_a_refused_login_with_one_logged_error() {
    let bench = Bench::start().await;
    let subject = bench.session_on_redis();
    let redis = bench.connect();
    let template = json!(
        stored_login(subject.store.as_ref().expect("a store"), &subject.log_in(&bench.alice().await).await).await
    );
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
        let who = bench.alice().await;
        let grant = subject.log_in(&who).await;
        let mut set = redis::cmd("SET");
        set.arg(key_of(&grant.identity.login)).arg(bytes).arg("KEEPTTL");
        redis.query::<()>(&set).await.expect("it is set");
        let (found, log) = logged(subject.identify(&grant.credential)).await;
        assert_eq!(found, None, "{what:?}");
        assert_eq!(log.lines().count(), 1, "{what:?}: {log}");
        assert!(log.contains("ERROR") && log.contains(grant.identity.login.as_str()), "{what:?}: {log}");
        assert!(!log.contains(grant.credential.expose_secret()), "{what:?}: the credential is in the log");
        assert_eq!(subject.logins(&who).await, Some(Vec::new()), "{what:?} is listed");
        subject.revoke(&grant, RevokeScope::This).await;
        let mut exists = redis::cmd("EXISTS");
        exists.arg(key_of(&grant.identity.login)).arg(format!("{{jvs}}:u:{}", who.id));
        assert_eq!(redis.query::<u32>(&exists).await.expect("a count"), 0, "{what:?}: stays after a log out");
    }
}

fn key_of(login: &LoginId) -> String {
    format!("{{jvs}}:s:{login}")
}

/// What the server would write to its log meanwhile. For tests on one thread.
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
