//! A login that is used on two nodes while one of them revokes it: both nodes keep the promise.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jwt_vs_session::auth::{Credentials, Grant, RevokeScope};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::fixture::{Fixture, TICK};
use super::races::answered;
use super::strategy_under_test::StrategyUnderTest;

const ROUNDS: usize = 60;

/// Probes of each reader after the answer to the revoke.
const PROBES: usize = 20;

/// Probes that began after the revoke was answered: how long after, and whether the node accepted the login.
type Late = Vec<(Duration, bool)>;

pub async fn after_a_revoke_on_one_node_both_refuse_as_promised(fixture: Fixture, node: StrategyUnderTest) {
    let (here, there) = (node.clone(), fixture.other_node(&node).await);
    let mut revoked = Vec::new();
    for round in 0..ROUNDS {
        let grant = here.log_in(&fixture.alice().await).await;
        // In every second round the other node knows the login before. In the rest it reads it during the revoke.
        if round % 2 == 0 {
            assert!(there.accepts(&grant).await, "the other node does not know it");
        }
        let login = grant.identity.login.clone();
        let scope = [RevokeScope::This, RevokeScope::Other(login), RevokeScope::Everywhere][round % 3].clone();
        let [near, far] = revoked_between_reads(&here, &there, &grant, scope).await;
        judge(&here, &there, &near, &far);
        revoked.push(grant);
    }
    assert_revoked_for_ever(&fixture, [&here, &there], &revoked).await;
}

/// Fails unless both nodes refused as promised: at once, within the bound, or not before the login expires.
fn judge(here: &StrategyUnderTest, there: &StrategyUnderTest, near: &Late, far: &Late) {
    let at_once = here.bound().is_some();
    assert!(near.iter().all(|late| late.1 != at_once), "on the node that revoked");
    match there.bound() {
        Some(bound) => {
            let over = far.iter().filter(|late| late.1 && (bound.is_zero() || late.0 > bound)).count();
            assert_eq!(over, 0, "of {} probes of the other node, accepted after {bound:?}", far.len());
        }
        None => assert!(far.iter().all(|late| late.1), "refused before its expiry"),
    }
}

/// Revokes a login while two tasks read it on each node. Returns what those saw.
async fn revoked_between_reads(
    here: &StrategyUnderTest,
    there: &StrategyUnderTest,
    grant: &Grant,
    scope: RevokeScope,
) -> [Late; 2] {
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

/// Probes throughout the revoke, and then [`PROBES`] times. Where the node may accept the login for a while, until it
/// refuses the login or should have.
async fn read(node: StrategyUnderTest, credentials: Credentials, done: Arc<OnceLock<Instant>>) -> Late {
    let mut late = Vec::new();
    loop {
        let begun = Instant::now();
        let answer = node.strategy.identify(&credentials, &Trace::default()).await;
        let Some(found) = answered(answer) else { continue };
        // Two workers serve all tasks.
        tokio::task::yield_now().await;
        let Some(after) = done.get().and_then(|done| begun.checked_duration_since(*done)) else { continue };
        late.push((after, found.is_some()));
        let over = node.bound().is_none_or(|bound| found.is_none() || after > 2 * bound);
        if late.len() >= PROBES && over {
            return late;
        }
    }
}

/// Fails if a node accepts a revoked login once the bound, or the expiry, has passed.
async fn assert_revoked_for_ever(fixture: &Fixture, nodes: [&StrategyUnderTest; 2], revoked: &[Grant]) {
    if let Some(bound) = nodes[0].bound() {
        tokio::time::sleep(bound).await;
    } else {
        let expiry = revoked[0].identity.expires_at;
        fixture.go_to(expiry - TICK);
        for (node, grant) in nodes.into_iter().flat_map(|node| revoked.iter().map(move |grant| (node, grant))) {
            assert!(node.accepts(grant).await, "refused a millisecond before its expiry");
        }
        fixture.go_to(expiry);
    }
    for (node, grant) in nodes.into_iter().flat_map(|node| revoked.iter().map(move |grant| (node, grant))) {
        assert!(!node.accepts(grant).await, "accepted again");
    }
}

fn credentials(grant: &Grant) -> Credentials {
    Credentials::new(Some(grant.credential.expose_secret().to_owned()))
}
