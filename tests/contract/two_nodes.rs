//! A login that is used on two nodes while one of them ends it: each question is answered as the strategy promises.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jwt_vs_session::auth::{Credentials, Grant, RevokeScope};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::races::answered;
use super::subjects::{Bench, TICK, Tested};

const ROUNDS: usize = 60;

/// How many questions a reader asks after the answer to the revoke.
const QUESTIONS: usize = 20;

/// Questions that were begun after the revoke was answered: how long after, and whether the login was accepted.
type Late = Vec<(Duration, bool)>;

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_on_one_node_is_felt_by_reads_on_both_as_promised() {
    let bench = Bench::start().await;
    for (here, there) in bench.pairs() {
        let (mut ended, mut asked, mut accepted, mut last) = (Vec::new(), 0, 0, Duration::ZERO);
        for round in 0..ROUNDS {
            let grant = here.log_in(&bench.alice().await).await;
            // Known to the other node in every second round; in the others it finds out in the middle.
            if round % 2 == 0 {
                assert!(there.accepts(&grant).await, "{}: the other node does not know it", here.name);
            }
            let login = grant.identity.login.clone();
            let scope = [RevokeScope::This, RevokeScope::Other(login), RevokeScope::Everywhere][round % 3].clone();
            let [near, far] = revoked_between_reads(&here, &there, &grant, scope).await;
            judge(&here, &there, &near, &far);
            asked += far.len();
            accepted += far.iter().filter(|late| late.1).count();
            last = far.iter().filter(|late| late.1).map(|late| late.0).max().unwrap_or_default().max(last);
            ended.push(grant);
        }
        eprintln!(
            "{}: {ROUNDS} revokes; of {asked} later questions to the other node {accepted} were accepted, the last \
            after {last:?}",
            there.name
        );
        assert_ended_for_ever(&bench, [&here, &there], &ended).await;
    }
}

/// Fails unless both nodes did as the strategy promises: at once, within its bound, or not before the login expires.
fn judge(here: &Tested, there: &Tested, near: &Late, far: &Late) {
    let at_once = here.bound().is_some();
    assert!(near.iter().all(|late| late.1 != at_once), "{}: on the node that revoked", here.name);
    match there.bound() {
        Some(bound) => {
            let over = far.iter().filter(|late| late.1 && (bound.is_zero() || late.0 > bound)).count();
            assert_eq!(over, 0, "{}: of {} questions to the other node, after {bound:?}", there.name, far.len());
        }
        None => assert!(far.iter().all(|late| late.1), "{}: refused before its time", there.name),
    }
}

/// What both nodes answered to two readers each.
async fn revoked_between_reads(here: &Tested, there: &Tested, grant: &Grant, scope: RevokeScope) -> [Late; 2] {
    let done = Arc::new(OnceLock::new());
    let (mut near, mut far) = (JoinSet::new(), JoinSet::new());
    for _ in 0..2 {
        near.spawn(read(here.clone(), credentials(grant), done.clone()));
        far.spawn(read(there.clone(), credentials(grant), done.clone()));
    }
    loop {
        let effect = here.strategy.revoke(&grant.identity, scope.clone(), &Trace::default()).await;
        if answered(effect).is_some() {
            break;
        }
    }
    done.set(Instant::now()).expect("once");
    [near.join_all().await.concat(), far.join_all().await.concat()]
}

/// Asks all through the revoke, then so many times more; where another node may accept it for a while, until it is
/// refused or should have been.
async fn read(node: Tested, credentials: Credentials, done: Arc<OnceLock<Instant>>) -> Late {
    let mut late = Vec::new();
    loop {
        let begun = Instant::now();
        let answer = node.strategy.identify(&credentials, &Trace::default()).await;
        let Some(found) = answered(answer) else { continue };
        // Of two workers none may be kept from the others.
        tokio::task::yield_now().await;
        let Some(after) = done.get().and_then(|done| begun.checked_duration_since(*done)) else { continue };
        late.push((after, found.is_some()));
        let over = node.bound().is_none_or(|bound| found.is_none() || after > 2 * bound);
        if late.len() >= QUESTIONS && over {
            return late;
        }
    }
}

/// The bound of the last revoke has to pass first, or its expiry.
async fn assert_ended_for_ever(bench: &Bench, nodes: [&Tested; 2], ended: &[Grant]) {
    if let Some(bound) = nodes[0].bound() {
        tokio::time::sleep(bound).await;
    } else {
        let expiry = ended[0].identity.expires_at;
        bench.go_to(expiry - TICK);
        for (node, grant) in nodes.into_iter().flat_map(|node| ended.iter().map(move |grant| (node, grant))) {
            assert!(node.accepts(grant).await, "{}: refused a millisecond before its time", node.name);
        }
        bench.go_to(expiry);
    }
    for (node, grant) in nodes.into_iter().flat_map(|node| ended.iter().map(move |grant| (node, grant))) {
        assert!(!node.accepts(grant).await, "{}: accepted again", node.name);
    }
}

fn credentials(grant: &Grant) -> Credentials {
    Credentials::new(Some(grant.credential.expose_secret().to_owned()))
}
