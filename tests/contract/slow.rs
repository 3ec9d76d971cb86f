//! An answer of Redis that is late, by force: what was read before a revoke is not remembered after it.

use std::cell::Cell;
use std::pin::{Pin, pin};
use std::time::Duration;

use jwt_vs_session::auth::{Backend, Credentials, Grant, Identity, Promise, Result, RevokeScope};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;

use super::subjects::{Bench, LIFE, Tested, session_id};
use crate::common::proxy::{Hold, Proxy};
use crate::common::until;

/// How often every later question is asked.
const LATER: usize = 50;

/// How long a list is kept: a minute longer than a token lives.
const KEPT: Duration = LIFE.saturating_add(Duration::from_mins(1));

/// Rounds in which no answer came too late, and what the node knows was still trusted at the end.
const ROUNDS: usize = 3;

/// A node whose connections to Redis can be slow, and one beside it.
struct Nodes {
    bench: Bench,
    proxy: Proxy,
}

impl Nodes {
    async fn start() -> Self {
        let bench = Bench::start().await;
        let proxy = Proxy::before(bench.redis.port()).await;
        Self { bench, proxy }
    }

    /// The strategies that ask Redis, on the slow node and beside it.
    fn pairs(&self, with_records: bool) -> Vec<(Tested, Tested)> {
        let all = self.bench.subjects_through(&self.proxy.url()).into_iter().zip(self.bench.subjects());
        let asks = |(slow, _): &(Tested, Tested)| {
            slow.strategy.describe().backend == Backend::Redis && slow.store.is_some() == with_records
        };
        all.filter(asks).collect()
    }

    /// A round that was too slow says nothing: an answer that is held back is given up after a while, and without
    /// pushes the memory is trusted for a while only.
    async fn until_judged(&self, name: &str, round: impl AsyncFn() -> bool) {
        let mut judged = 0;
        for _ in 0..20 * ROUNDS {
            judged += usize::from(round().await);
            self.proxy.release();
            if judged == ROUNDS {
                return;
            }
        }
        panic!("{name}: always too slow");
    }
}

/// Every way to end a login.
fn scopes(grant: &Grant) -> [RevokeScope; 3] {
    [RevokeScope::This, RevokeScope::Other(grant.identity.login.clone()), RevokeScope::Everywhere]
}

/// Two logins that the node keeps in its memory, if it keeps any. One goes after the login in question; pushes come in
/// order, so when that one is gone the push that went before has arrived. The other tells that the memory is trusted.
struct Signs {
    sign: Grant,
    witness: Grant,
}

impl Signs {
    async fn keep(bench: &Bench, slow: &Tested, other: &Tested) -> Option<Self> {
        if !matches!(slow.strategy.describe().promise, Promise::Push { .. }) {
            return None;
        }
        let signs =
            Self { sign: other.log_in(&bench.alice().await).await, witness: other.log_in(&bench.alice().await).await };
        until("the node keeps both", async || {
            accepts(slow, &signs.sign).await
                && accepts(slow, &signs.witness).await
                && keeps(slow, &signs.sign)
                && keeps(slow, &signs.witness)
        })
        .await;
        Some(signs)
    }

    /// False if the answer that is held back was given up meanwhile.
    async fn wait_for_push(&self, slow: &Tested, other: &Tested, reading: Reading<'_>) -> bool {
        other.revoke(&self.sign, RevokeScope::This).await;
        let arrived = async || keeps(slow, &self.witness) && !keeps(slow, &self.sign) && keeps(slow, &self.witness);
        comes_first(until("what was pushed has arrived", arrived), reading).await
    }
}

/// A question to a strategy that is under way.
type Reading<'a> = Pin<&'a mut dyn Future<Output = Result<Option<Identity>>>>;

/// Whether something happens before a question, whose answer is held back, is given up.
async fn comes_first(what: impl Future<Output = ()>, reading: Reading<'_>) -> bool {
    tokio::select! {
        biased;
        found = reading => assert!(found.is_err(), "answered without Redis: {found:?}"),
        () = what => return true,
    }
    false
}

/// A failure of a store is not a yes.
async fn accepts(node: &Tested, grant: &Grant) -> bool {
    matches!(node.strategy.identify(&credentials(grant), &Trace::default()).await, Ok(Some(_)))
}

/// Whether a node answers from its memory.
fn keeps(node: &Tested, grant: &Grant) -> bool {
    node.store.as_ref().is_some_and(|store| store.recall(&grant.identity.login).is_some())
}

async fn is_stored(node: &Tested, grant: &Grant) -> bool {
    let store = node.store.as_ref().expect("a store");
    !matches!(store.load(&session_id(grant)).await, Ok(None))
}

async fn refuses_for_ever(node: &Tested, grant: &Grant, what: &str) {
    let (credentials, trace) = (credentials(grant), Trace::default());
    for _ in 0..LATER {
        until("Redis answers the node", async || {
            let found = node.strategy.identify(&credentials, &trace).await;
            assert!(!matches!(found, Ok(Some(_))), "{}, {what}: accepted after its end", node.name);
            found.is_ok()
        })
        .await;
        assert!(!keeps(node, grant), "{}, {what}: kept", node.name);
    }
}

#[tokio::test]
async fn a_record_that_was_read_before_another_node_ended_it_is_not_kept() {
    let nodes = Nodes::start().await;
    for (slow, other) in nodes.pairs(true) {
        for which in 0..3 {
            nodes.until_judged(&slow.name, async || anothers_end(&nodes, &slow, &other, which).await).await;
        }
    }
}

/// One round; true if the answer was waited for and the node's memory trusted to the end of it.
async fn anothers_end(nodes: &Nodes, slow: &Tested, other: &Tested, which: usize) -> bool {
    let signs = Signs::keep(&nodes.bench, slow, other).await;
    let grant = other.log_in(&nodes.bench.bob().await).await;
    let (credentials, trace) = (credentials(&grant), Trace::default());
    nodes.proxy.hold(Hold::answers_to(&grant.identity.login));
    let mut reading = pin!(slow.strategy.identify(&credentials, &trace));
    // From then on nobody goes on with it.
    if !comes_first(nodes.proxy.stopped(), reading.as_mut()).await {
        return false;
    }
    let scope = scopes(&grant)[which].clone();
    let what = format!("{scope:?}");
    other.revoke(&grant, scope).await;
    if let Some(signs) = &signs
        && !signs.wait_for_push(slow, other, reading.as_mut()).await
    {
        return false;
    }
    nodes.proxy.release();
    let Ok(found) = reading.await else { return false };
    assert!(found.is_some(), "{}, {what}: it was asked before the end", slow.name);
    let trusted = signs.is_none_or(|signs| keeps(slow, &signs.witness));
    refuses_for_ever(slow, &grant, &what).await;
    trusted
}

/// Here not even the push arrives: the node that revokes knows it by itself.
#[tokio::test]
async fn a_record_that_was_read_before_this_node_ended_it_is_not_kept() {
    let nodes = Nodes::start().await;
    for (slow, other) in nodes.pairs(true) {
        // To end every login it asks for their names first, behind the answer that is held back: that comes before the end.
        for which in 0..2 {
            nodes.until_judged(&slow.name, async || own_end(&nodes, &slow, &other, which).await).await;
        }
    }
}

/// The same, ended by the node itself.
async fn own_end(nodes: &Nodes, slow: &Tested, other: &Tested, which: usize) -> bool {
    let signs = Signs::keep(&nodes.bench, slow, other).await;
    // So that Redis knows the script: the question whether it does would be held back, too.
    let first = other.log_in(&nodes.bench.bob().await).await;
    other.revoke(&first, scopes(&first)[which].clone()).await;
    let grant = other.log_in(&nodes.bench.bob().await).await;
    let (credentials, trace) = (credentials(&grant), Trace::default());
    nodes.proxy.hold(Hold { pushes: true, ..Hold::answers_to(&grant.identity.login) });
    let mut reading = pin!(slow.strategy.identify(&credentials, &trace));
    // From then on nobody goes on with it.
    if !comes_first(nodes.proxy.stopped(), reading.as_mut()).await {
        return false;
    }
    let scope = scopes(&grant)[which].clone();
    let what = format!("{scope:?}, by itself");
    let mut end = pin!(slow.strategy.revoke(&grant.identity, scope, &trace));
    tokio::select! {
        biased;
        done = &mut end => {
            assert!(done.is_err(), "answered without Redis");
            return false;
        }
        () = until("Redis has ended it", async || !is_stored(other, &grant).await) => {}
    }
    nodes.proxy.hold(Hold::pushes());
    let (ended, found) = (end.await, reading.await);
    let kept = keeps(slow, &grant);
    let trusted = signs.is_none_or(|signs| keeps(slow, &signs.witness));
    nodes.proxy.release();
    let (Ok(_), Ok(found)) = (ended, found) else { return false };
    assert!(found.is_some(), "{}, {what}: it was asked before the end", slow.name);
    assert!(!kept, "{}, {what}: kept", slow.name);
    refuses_for_ever(slow, &grant, &what).await;
    trusted
}

/// The list of a user is filled from the database; a revoke in the middle must not be covered by what was read before.
#[tokio::test]
async fn a_list_that_was_read_before_a_revoke_is_not_filled_in_after_it() {
    let nodes = Nodes::start().await;
    let filled = Cell::new(0);
    for (slow, other) in nodes.pairs(false) {
        for which in 0..3 {
            nodes.until_judged(&slow.name, async || filled_in(&nodes, &slow, &other, which, &filled).await).await;
        }
    }
    assert!(filled.get() >= 3 * ROUNDS, "nothing was filled in");
}

/// One round; true if the answer was waited for.
async fn filled_in(nodes: &Nodes, slow: &Tested, other: &Tested, which: usize, filled: &Cell<usize>) -> bool {
    let grant = other.log_in(&nodes.bench.bob().await).await;
    let (credentials, trace) = (credentials(&grant), Trace::default());
    // No other command says how long that is.
    nodes.proxy.hold(Hold::commands(&KEPT.as_millis()));
    let mut reading = pin!(slow.strategy.identify(&credentials, &trace));
    let found = tokio::select! {
        biased;
        // It keeps the list in its memory and does not ask.
        found = &mut reading => found,
        () = nodes.proxy.stopped() => {
            other.revoke(&grant, scopes(&grant)[which].clone()).await;
            nodes.proxy.release();
            let found = reading.await;
            refuses_for_ever(other, &grant, "beside it").await;
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
    assert!(found.is_some(), "{}: it was asked before", slow.name);
    true
}

fn credentials(grant: &Grant) -> Credentials {
    Credentials::new(Some(grant.credential.expose_secret().to_owned()))
}
