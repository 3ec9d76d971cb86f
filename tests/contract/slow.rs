//! An answer of Redis that the check delays: a node keeps no copy that it read before a revoke.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::time::Duration;

use jwt_vs_session::auth::{Credentials, Grant, Identity, Promise, Result, RevokeScope};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;

use super::fixture::{Fixture, LIFE};
use super::strategy_under_test::{StrategyUnderTest, session_id};
use crate::common::proxy::{Hold, Proxy};
use crate::common::until;

/// Probes after the revoke.
const LATER: usize = 50;

/// How long Redis keeps the revocations of a user: a minute longer than a token lives.
const KEPT: Duration = LIFE.saturating_add(Duration::from_mins(1));

/// Rounds that count: the node did not give up the delayed answer, and still trusted its memory at the end.
const ROUNDS: usize = 3;

/// A node whose connection to Redis the check can delay, and a node beside it.
struct SlowPair {
    fixture: Fixture,
    proxy: Proxy,
    slow: StrategyUnderTest,
    other: StrategyUnderTest,
}

impl SlowPair {
    async fn start(fixture: Fixture, other: StrategyUnderTest) -> Self {
        let proxy = Proxy::before(fixture.redis().port()).await;
        let slow = fixture.node_through(&proxy.url()).await;
        Self { fixture, proxy, slow, other }
    }

    /// Repeats rounds until enough of them count. A round that took too long proves nothing: the node gives up a delayed
    /// answer after a while, and trusts its memory for a while only.
    async fn until_judged(&self, round: impl AsyncFn() -> bool) {
        let mut judged = 0;
        for _ in 0..20 * ROUNDS {
            judged += usize::from(round().await);
            self.proxy.release();
            if judged == ROUNDS {
                return;
            }
        }
        panic!("every round took too long");
    }
}

/// Every way to revoke a login.
fn scopes(grant: &Grant) -> [RevokeScope; 3] {
    [RevokeScope::This, RevokeScope::Other(grant.identity.login.clone()), RevokeScope::Everywhere]
}

/// Two logins that the node keeps in its memory, if it keeps any. The check revokes `sign` after the login that it tests.
/// Pushes arrive in order: once the node has evicted `sign`, the earlier push has arrived. As long as the node answers
/// for `witness`, it trusts its memory.
struct Signs {
    sign: Grant,
    witness: Grant,
}

impl Signs {
    async fn keep(nodes: &SlowPair) -> Option<Self> {
        let SlowPair { fixture, slow, other, .. } = nodes;
        if !matches!(slow.facts().promise, Promise::Push { .. }) {
            return None;
        }
        let signs = Self {
            sign: other.log_in(&fixture.alice().await).await,
            witness: other.log_in(&fixture.alice().await).await,
        };
        until("the node keeps both", async || {
            accepts(slow, &signs.sign).await
                && accepts(slow, &signs.witness).await
                && keeps(slow, &signs.sign)
                && keeps(slow, &signs.witness)
        })
        .await;
        Some(signs)
    }

    /// False if the node gave up the delayed answer meanwhile.
    async fn wait_for_push(&self, nodes: &SlowPair, delayed: DelayedCheck<'_>) -> bool {
        let SlowPair { slow, other, .. } = nodes;
        other.revoke(&self.sign, RevokeScope::This).await;
        let arrived = async || keeps(slow, &self.witness) && !keeps(slow, &self.sign) && keeps(slow, &self.witness);
        comes_first(until("the push has arrived", arrived), delayed).await
    }
}

/// A check that waits for a delayed answer.
type DelayedCheck<'a> = Pin<&'a mut dyn Future<Output = Result<Option<Identity>>>>;

/// Whether something happens before the node gives up the delayed answer.
async fn comes_first(what: impl Future<Output = ()>, delayed: DelayedCheck<'_>) -> bool {
    tokio::select! {
        biased;
        found = delayed => assert!(found.is_err(), "answered without Redis: {found:?}"),
        () = what => return true,
    }
    false
}

/// Whether a node accepts a login. A failure of a store does not accept it.
async fn accepts(node: &StrategyUnderTest, grant: &Grant) -> bool {
    matches!(node.strategy.identify(&credentials(grant), &Trace::default()).await, Ok(Some(_)))
}

/// Whether a node answers from its memory.
fn keeps(node: &StrategyUnderTest, grant: &Grant) -> bool {
    node.records.as_ref().is_some_and(|store| store.recall(&grant.identity.login).is_some())
}

async fn is_stored(node: &StrategyUnderTest, grant: &Grant) -> bool {
    !matches!(node.records().load(&session_id(grant)).await, Ok(None))
}

async fn refuses_for_ever(node: &StrategyUnderTest, grant: &Grant, what: &str) {
    let (credentials, trace) = (credentials(grant), Trace::default());
    for _ in 0..LATER {
        until("Redis answers the node", async || {
            let found = node.strategy.identify(&credentials, &trace).await;
            assert!(!matches!(found, Ok(Some(_))), "{what}: accepted after the revoke");
            found.is_ok()
        })
        .await;
        assert!(!keeps(node, grant), "{what}: kept");
    }
}

pub async fn a_node_keeps_no_record_that_another_node_revoked_meanwhile(fixture: Fixture, node: StrategyUnderTest) {
    let nodes = SlowPair::start(fixture, node).await;
    for which in 0..3 {
        nodes.until_judged(async || revoked_elsewhere(&nodes, which).await).await;
    }
}

/// Runs one round. True if the delayed answer arrived and the node trusted its memory to the end.
async fn revoked_elsewhere(nodes: &SlowPair, which: usize) -> bool {
    let SlowPair { fixture, proxy, slow, other } = nodes;
    let signs = Signs::keep(nodes).await;
    let grant = other.log_in(&fixture.bob().await).await;
    let (credentials, trace) = (credentials(&grant), Trace::default());
    proxy.hold(Hold::answers_to(&grant.identity.login));
    let mut delayed = pin!(slow.strategy.identify(&credentials, &trace));
    // From here on nothing polls the check.
    if !comes_first(proxy.stopped(), delayed.as_mut()).await {
        return false;
    }
    let scope = scopes(&grant)[which].clone();
    let what = format!("{scope:?}");
    other.revoke(&grant, scope).await;
    if let Some(signs) = &signs
        && !signs.wait_for_push(nodes, delayed.as_mut()).await
    {
        return false;
    }
    proxy.release();
    let Ok(found) = delayed.await else { return false };
    assert!(found.is_some(), "{what}: Redis answered before the revoke");
    let trusted = signs.is_none_or(|signs| keeps(slow, &signs.witness));
    refuses_for_ever(slow, &grant, &what).await;
    trusted
}

/// Here not even the push arrives: the node that revokes evicts its copy by itself.
pub async fn a_node_keeps_no_record_that_it_revoked_itself(fixture: Fixture, node: StrategyUnderTest) {
    let nodes = SlowPair::start(fixture, node).await;
    // To revoke every login, the node first reads the names of all. The proxy delays that answer too, so the third scope
    // would only revoke after the delayed answer.
    for which in 0..2 {
        nodes.until_judged(async || revoked_here(&nodes, which).await).await;
    }
}

/// Runs one round, in which the slow node itself revokes the login.
async fn revoked_here(nodes: &SlowPair, which: usize) -> bool {
    let SlowPair { fixture, proxy, slow, other } = nodes;
    let signs = Signs::keep(nodes).await;
    // Redis then knows the script: the proxy would also delay the answer that it does not.
    let first = other.log_in(&fixture.bob().await).await;
    other.revoke(&first, scopes(&first)[which].clone()).await;
    let grant = other.log_in(&fixture.bob().await).await;
    let (credentials, trace) = (credentials(&grant), Trace::default());
    proxy.hold(Hold { pushes: true, ..Hold::answers_to(&grant.identity.login) });
    let mut delayed = pin!(slow.strategy.identify(&credentials, &trace));
    // From here on nothing polls the check.
    if !comes_first(proxy.stopped(), delayed.as_mut()).await {
        return false;
    }
    let scope = scopes(&grant)[which].clone();
    let what = format!("{scope:?}, by the node itself");
    let mut revoke = pin!(slow.strategy.revoke(&grant.identity, scope, &trace));
    tokio::select! {
        biased;
        done = &mut revoke => {
            assert!(done.is_err(), "answered without Redis");
            return false;
        }
        () = until("Redis has deleted the record", async || !is_stored(other, &grant).await) => {}
    }
    proxy.hold(Hold::pushes());
    let (revoked, found) = (revoke.await, delayed.await);
    let kept = keeps(slow, &grant);
    let trusted = signs.is_none_or(|signs| keeps(slow, &signs.witness));
    proxy.release();
    let (Ok(_), Ok(found)) = (revoked, found) else { return false };
    assert!(found.is_some(), "{what}: Redis answered before the revoke");
    assert!(!kept, "{what}: kept");
    refuses_for_ever(slow, &grant, &what).await;
    trusted
}

/// A node fills the revocations of a user into Redis. If it read them before a revoke, it must not fill them in after.
pub async fn revocations_read_before_a_revoke_are_not_filled_in_after_it(fixture: Fixture, node: StrategyUnderTest) {
    let nodes = SlowPair::start(fixture, node).await;
    let filled = Cell::new(0);
    for which in 0..3 {
        nodes.until_judged(async || filled_in(&nodes, which, &filled).await).await;
    }
    // A node with the revocations in memory fills nothing in.
    let fills = nodes.slow.facts().upkeep.is_some();
    assert!(!fills || filled.get() >= 3 * ROUNDS, "nothing was filled in");
}

/// Runs one round. True if the delayed answer arrived.
async fn filled_in(nodes: &SlowPair, which: usize, filled: &Cell<usize>) -> bool {
    let SlowPair { fixture, proxy, slow, other } = nodes;
    let grant = other.log_in(&fixture.bob().await).await;
    let (credentials, trace) = (credentials(&grant), Trace::default());
    // Only the command that fills them in contains this number.
    proxy.hold(Hold::commands(&KEPT.as_millis()));
    let mut delayed = pin!(slow.strategy.identify(&credentials, &trace));
    let found = tokio::select! {
        biased;
        // The node has the revocations in memory and sends no command.
        found = &mut delayed => found,
        () = proxy.stopped() => {
            other.revoke(&grant, scopes(&grant)[which].clone()).await;
            proxy.release();
            let found = delayed.await;
            refuses_for_ever(other, &grant, "on the other node").await;
            if slow.bound() > Some(Duration::ZERO) {
                let refused = async || matches!(slow.strategy.identify(&credentials, &trace).await, Ok(None));
                until("the push has arrived", refused).await;
            }
            refuses_for_ever(slow, &grant, "filled in").await;
            filled.set(filled.get() + usize::from(found.is_ok()));
            found
        }
    };
    let Ok(found) = found else { return false };
    assert!(found.is_some(), "the check began before the revoke");
    true
}

fn credentials(grant: &Grant) -> Credentials {
    Credentials::new(Some(grant.credential.expose_secret().to_owned()))
}
