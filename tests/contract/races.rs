//! What was ended stays ended, whatever else was under way.

use std::collections::BTreeSet;
use std::sync::Arc;

use jwt_vs_session::auth::{Credentials, Effect, Failure, Grant, Result, RevokeScope};
use jwt_vs_session::store::sessions::{LoginRecord, LoginStore};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tower_sessions::session::Record;

use super::subjects::{Bench, LIFE, Tested, session_id, stored};

const ROUNDS: usize = 500;
const CROWD: usize = 100;
const NO_KEYS: [&str; 0] = [];

/// A record as a request holds it that has loaded it and is about to write it back.
struct InFlight {
    grant: Grant,
    record: Record,
    login: LoginRecord,
}

impl InFlight {
    async fn load(bench: &Bench, subject: &Tested, store: &Arc<dyn LoginStore>) -> Self {
        let grant = subject.log_in(&bench.alice().await).await;
        let record = stored(store, &grant).await;
        let login = LoginRecord::from_record(&record).expect("a login");
        Self { grant, record, login }
    }

    async fn is_back(&self, subject: &Tested, store: &Arc<dyn LoginStore>) -> bool {
        let listed = store.of_user(self.login.user).await.expect("an answer");
        subject.accepts(&self.grant).await || !listed.is_empty()
    }
}

#[tokio::test]
async fn a_write_of_a_record_that_was_read_before_the_end_is_no_success_and_brings_nothing_back() {
    let bench = Bench::start().await;
    for (subject, store) in bench.with_records() {
        for way in ["delete", "end", "end all", "revoke"] {
            let held = InFlight::load(&bench, &subject, &store).await;
            let (user, id) = (held.login.user, session_id(&held.grant));
            match way {
                "delete" => store.delete(&id).await.expect("it ends"),
                "end" => store.revoke(user, &held.grant.identity.login).await.expect("it ends"),
                "end all" => store.revoke_all(user).await.expect("they end"),
                _ => drop(subject.revoke(&held.grant, RevokeScope::This).await),
            }
            assert!(store.save(&held.record).await.is_err(), "{}, {way}: saved", subject.name);
            assert!(!store.touch(&id, &held.login).await.expect("an answer"), "{}, {way}: touched", subject.name);
            assert!(!held.is_back(&subject, &store).await, "{}, {way}: back", subject.name);
        }
    }
    assert_eq!(bench.redis.keys().await, NO_KEYS);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_500_saves_in_flight_across_a_log_out_none_brings_a_login_back() {
    let bench = Bench::start().await;
    for (subject, store) in bench.with_records() {
        let (mut back, mut refused) = (0, 0);
        for _ in 0..ROUNDS {
            let held = InFlight::load(&bench, &subject, &store).await;
            // Old enough that a request writes.
            bench.clock.advance(LIFE / 10);
            let mut writes = JoinSet::new();
            spawn_writes(&mut writes, &subject, &store, &held);
            subject.revoke(&held.grant, RevokeScope::This).await;
            let at_once = subject.accepts(&held.grant).await;
            refused += writes.join_all().await.into_iter().filter(|done| !done).count();
            back += usize::from(at_once || held.is_back(&subject, &store).await);
        }
        eprintln!(
            "{}: {ROUNDS} log outs, {refused} of {} writes came too late, {back} logins came back",
            subject.name,
            3 * ROUNDS
        );
        assert_eq!(back, 0, "{}", subject.name);
    }
    assert_eq!(bench.redis.keys().await, NO_KEYS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_log_outs_and_three_hundred_writes_at_once_leave_nothing() {
    let bench = Bench::start().await;
    for (subject, store) in bench.with_records() {
        let held = InFlight::load(&bench, &subject, &store).await;
        bench.clock.advance(LIFE / 10);
        let (mut writes, mut ends) = (JoinSet::new(), JoinSet::new());
        for _ in 0..CROWD {
            spawn_writes(&mut writes, &subject, &store, &held);
            spawn_revoke(&mut ends, &subject, &held.grant);
        }
        assert_eq!(ends.join_all().await.len(), CROWD);
        writes.join_all().await;
        assert!(!held.is_back(&subject, &store).await, "{}: back", subject.name);
    }
    assert_eq!(bench.redis.keys().await, NO_KEYS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_log_outs_and_requests_at_once_end_as_promised() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let grant = subject.log_in(&bench.alice().await).await;
        let (mut requests, mut ends) = (JoinSet::new(), JoinSet::new());
        for _ in 0..CROWD {
            spawn_request(&mut requests, &subject, &grant);
            spawn_revoke(&mut ends, &subject, &grant);
        }
        let effects = ends.join_all().await;
        assert!(effects.iter().all(|effect| *effect == effects[0]), "{}: {effects:?}", subject.name);
        assert_eq!(requests.join_all().await.len(), CROWD);
        subject.assert_ended(&bench, &grant, effects[0]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_half_of_a_hundred_logins_end_the_others_go_on() {
    let bench = Bench::start().await;
    for (subject, store) in bench.with_records() {
        let who = bench.alice().await;
        let mut grants = Vec::new();
        for _ in 0..CROWD {
            grants.push(subject.log_in(&who).await);
        }
        bench.clock.advance(LIFE / 10);
        let (mut requests, mut ends) = (JoinSet::new(), JoinSet::new());
        for pair in grants.chunks(2) {
            spawn_request(&mut requests, &subject, &pair[0]);
            spawn_revoke(&mut ends, &subject, &pair[1]);
        }
        assert_eq!(ends.join_all().await.len(), CROWD / 2);
        assert_eq!(requests.join_all().await, [true; CROWD / 2], "{}: a login that nobody ended", subject.name);
        let left: BTreeSet<_> = grants.iter().step_by(2).map(|grant| grant.identity.login.clone()).collect();
        let listed = store.of_user(who.id).await.expect("an answer");
        assert_eq!(listed.into_iter().map(|(login, _)| login).collect::<BTreeSet<_>>(), left, "{}", subject.name);
    }
}

/// The three ways to write a record back: each says whether it was written, or was let in.
fn spawn_writes(tasks: &mut JoinSet<bool>, subject: &Tested, store: &Arc<dyn LoginStore>, held: &InFlight) {
    let (saver, record) = (store.clone(), held.record.clone());
    tasks.spawn(async move { saver.save(&record).await.is_ok() });
    let (toucher, id, login) = (store.clone(), session_id(&held.grant), held.login.clone());
    tasks.spawn(async move { toucher.touch(&id, &login).await.is_ok_and(|written| written) });
    spawn_request(tasks, subject, &held.grant);
}

fn spawn_request(tasks: &mut JoinSet<bool>, subject: &Tested, grant: &Grant) {
    let strategy = subject.strategy.clone();
    let credentials = Credentials::new(Some(grant.credential.expose_secret().to_owned()));
    tasks.spawn(async move {
        loop {
            if let Some(found) = answered(strategy.identify(&credentials, &Trace::default()).await) {
                return found.is_some();
            }
        }
    });
}

fn spawn_revoke(tasks: &mut JoinSet<Effect>, subject: &Tested, grant: &Grant) {
    let (strategy, identity) = (subject.strategy.clone(), grant.identity.clone());
    tasks.spawn(async move {
        loop {
            if let Some(effect) = answered(strategy.revoke(&identity, RevokeScope::This, &Trace::default()).await) {
                return effect;
            }
        }
    });
}

/// `None` if it is to be asked again: SQLite has one writer at a time, and the last of a crowd may be sent away.
pub fn answered<T>(answer: Result<T>) -> Option<T> {
    match answer {
        Err(Failure::Store(error)) if error.store() != "Redis" => None,
        answer => Some(answer.expect("an answer")),
    }
}
