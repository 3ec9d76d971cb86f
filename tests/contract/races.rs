//! A revoked login stays revoked, whatever other requests are under way.

use std::collections::BTreeSet;
use std::sync::Arc;

use jwt_vs_session::auth::{Credentials, Effect, Failure, Grant, Result, RevokeScope};
use jwt_vs_session::store::StoreError;
use jwt_vs_session::store::sessions::{LoginRecord, LoginStore};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret;
use tokio::task::JoinSet;
use tower_sessions::session::Record;

use super::fixture::{Fixture, LIFE};
use super::strategy_under_test::{StrategyUnderTest, session_id, stored};

const ROUNDS: usize = 500;
const AT_ONCE: usize = 100;
const NO_KEYS: [&str; 0] = [];

/// A record that a request has read and is about to write back.
struct InFlight {
    grant: Grant,
    record: Record,
    login: LoginRecord,
}

impl InFlight {
    async fn load(fixture: &Fixture, node: &StrategyUnderTest, store: &Arc<dyn LoginStore>) -> Self {
        let grant = node.log_in(&fixture.alice().await).await;
        let record = stored(store, &grant).await;
        let login = LoginRecord::from_record(&record).expect("a login");
        Self { grant, record, login }
    }

    async fn is_back(&self, node: &StrategyUnderTest, store: &Arc<dyn LoginStore>) -> bool {
        let listed = store.of_user(self.login.user).await.expect("an answer");
        node.accepts(&self.grant).await || !listed.is_empty()
    }
}

pub async fn a_write_of_a_record_read_before_its_revocation_fails_and_brings_nothing_back(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let store = node.records();
    for way in ["delete", "end", "end all", "revoke"] {
        let held = InFlight::load(&fixture, &node, &store).await;
        let (user, id) = (held.login.user, session_id(&held.grant));
        match way {
            "delete" => store.delete(&id).await.expect("it is deleted"),
            "end" => assert!(store.revoke(user, &held.grant.identity.login).await.expect("it is deleted")),
            "end all" => store.revoke_all(user).await.expect("they are deleted"),
            _ => drop(node.revoke(&held.grant, RevokeScope::This).await),
        }
        assert!(store.save(&held.record).await.is_err(), "{way}: saved");
        assert!(!store.touch(&id, &held.login).await.expect("an answer"), "{way}: touched");
        assert!(!held.is_back(&node, &store).await, "{way}: back");
    }
    assert_eq!(fixture.keys_left().await, NO_KEYS);
}

pub async fn no_write_in_flight_across_a_log_out_brings_a_login_back(fixture: Fixture, node: StrategyUnderTest) {
    let store = node.records();
    let mut back = 0;
    for _ in 0..ROUNDS {
        let held = InFlight::load(&fixture, &node, &store).await;
        // Old enough that a request writes.
        fixture.clock.advance(LIFE / 10);
        let mut writes = JoinSet::new();
        spawn_writes(&mut writes, &node, &store, &held);
        node.revoke(&held.grant, RevokeScope::This).await;
        let at_once = node.accepts(&held.grant).await;
        writes.join_all().await;
        back += usize::from(at_once || held.is_back(&node, &store).await);
    }
    assert_eq!(back, 0, "logins came back in {ROUNDS} log outs");
    assert_eq!(fixture.keys_left().await, NO_KEYS);
}

pub async fn a_hundred_log_outs_and_three_hundred_writes_at_once_leave_nothing(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let store = node.records();
    let held = InFlight::load(&fixture, &node, &store).await;
    fixture.clock.advance(LIFE / 10);
    let (mut writes, mut ends) = (JoinSet::new(), JoinSet::new());
    for _ in 0..AT_ONCE {
        spawn_writes(&mut writes, &node, &store, &held);
        spawn_revoke(&mut ends, &node, &held.grant);
    }
    assert_eq!(ends.join_all().await.len(), AT_ONCE);
    writes.join_all().await;
    assert!(!held.is_back(&node, &store).await, "back");
    assert_eq!(fixture.keys_left().await, NO_KEYS);
}

pub async fn a_hundred_log_outs_and_requests_at_once_revoke_as_promised(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    let (mut requests, mut ends) = (JoinSet::new(), JoinSet::new());
    for _ in 0..AT_ONCE {
        spawn_request(&mut requests, &node, &grant);
        spawn_revoke(&mut ends, &node, &grant);
    }
    let effects = ends.join_all().await;
    assert!(effects.iter().all(|effect| *effect == effects[0]), "{effects:?}");
    assert_eq!(requests.join_all().await.len(), AT_ONCE);
    node.assert_ended(&fixture, &grant, effects[0]).await;
}

pub async fn while_half_of_a_hundred_logins_are_revoked_the_others_stay(fixture: Fixture, node: StrategyUnderTest) {
    let store = node.records();
    let who = fixture.alice().await;
    let mut grants = Vec::new();
    for _ in 0..AT_ONCE {
        grants.push(node.log_in(&who).await);
    }
    fixture.clock.advance(LIFE / 10);
    let (mut requests, mut ends) = (JoinSet::new(), JoinSet::new());
    for pair in grants.chunks(2) {
        spawn_request(&mut requests, &node, &pair[0]);
        spawn_revoke(&mut ends, &node, &pair[1]);
    }
    assert_eq!(ends.join_all().await.len(), AT_ONCE / 2);
    assert_eq!(requests.join_all().await, [true; AT_ONCE / 2], "a login that was not revoked");
    let left: BTreeSet<_> = grants.iter().step_by(2).map(|grant| grant.identity.login.clone()).collect();
    let listed = store.of_user(who.id).await.expect("an answer");
    assert_eq!(listed.into_iter().map(|(login, _)| login).collect::<BTreeSet<_>>(), left);
}

/// Writes a record back in the three ways that there are. Each returns whether it wrote, or was accepted.
fn spawn_writes(tasks: &mut JoinSet<bool>, node: &StrategyUnderTest, store: &Arc<dyn LoginStore>, held: &InFlight) {
    let (saver, record) = (store.clone(), held.record.clone());
    tasks.spawn(async move { saver.save(&record).await.is_ok() });
    let (toucher, id, login) = (store.clone(), session_id(&held.grant), held.login.clone());
    tasks.spawn(async move { toucher.touch(&id, &login).await.is_ok_and(|written| written) });
    spawn_request(tasks, node, &held.grant);
}

fn spawn_request(tasks: &mut JoinSet<bool>, node: &StrategyUnderTest, grant: &Grant) {
    let strategy = node.strategy.clone();
    let credentials = Credentials::new(Some(grant.credential.expose_secret().to_owned()));
    tasks.spawn(async move {
        loop {
            if let Some(found) = answered(strategy.identify(&credentials, &Trace::default()).await) {
                return found.is_some();
            }
        }
    });
}

fn spawn_revoke(tasks: &mut JoinSet<Effect>, node: &StrategyUnderTest, grant: &Grant) {
    let (strategy, identity) = (node.strategy.clone(), grant.identity.clone());
    tasks.spawn(async move {
        loop {
            if let Some(effect) = answered(strategy.revoke(&identity, RevokeScope::This, &Trace::default()).await) {
                return effect;
            }
        }
    });
}

/// `None` if the call must be repeated: SQLite has one writer at a time, and may refuse the last of many.
pub fn answered<T>(answer: Result<T>) -> Option<T> {
    match answer {
        Err(Failure::Store(StoreError::Unavailable { store, .. })) if store != "Redis" => None,
        answer => Some(answer.expect("an answer")),
    }
}
