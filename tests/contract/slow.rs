//! An answer of Redis that is late, by force: what was read before a revoke is not remembered after it.

use std::pin::{Pin, pin};
use std::time::Duration;

use jwt_vs_session::auth::{Grant, Identity, Need, Presented, Promise, Reach, Result};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;

use super::subjects::{Bench, LIFE, Tested, session_id};
use crate::common::proxy::{Hold, Proxy};
use crate::common::until;

/// How often every later question is asked.
const LATER: usize = 50;

/// How long a list is kept: a minute longer than a token lives.
const KEPT: Duration = LIFE.saturating_add(Duration::from_mins(1));

/// Rounds in which what the node knows was still trusted at the end.
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
            slow.strategy.describe().needs == Need::Redis && slow.store.is_some() == with_records
        };
        all.filter(asks).collect()
    }
}

/// Every way to end a login.
fn reaches(grant: &Grant) -> [Reach; 3] {
    [Reach::This, Reach::Other(grant.identity.login.clone()), Reach::Everywhere]
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
            slow.accepts(&signs.sign).await && slow.accepts(&signs.witness).await && signs.both_kept(slow)
        })
        .await;
        Some(signs)
    }

    fn both_kept(&self, slow: &Tested) -> bool {
        keeps(slow, &self.sign) && keeps(slow, &self.witness)
    }

    async fn wait_for_push(&self, slow: &Tested, other: &Tested) {
        other.revoke(&self.sign, Reach::This).await;
        until("what was pushed has arrived", async || {
            keeps(slow, &self.witness) && !keeps(slow, &self.sign) && keeps(slow, &self.witness)
        })
        .await;
    }
}

/// Whether a node answers from its memory.
fn keeps(node: &Tested, grant: &Grant) -> bool {
    node.store.as_ref().is_some_and(|store| store.recall(&grant.identity.login).is_some())
}

async fn is_stored(node: &Tested, grant: &Grant) -> bool {
    let store = node.store.as_ref().expect("a store");
    store.load(&session_id(grant)).await.expect("an answer").is_some()
}

/// Asks until Redis' answer, or the question to it, is held back. From then on nobody goes on with it.
async fn ask(proxy: &Proxy, mut reading: Pin<&mut impl Future<Output = Result<Option<Identity>>>>) {
    tokio::select! {
        biased;
        found = &mut reading => panic!("answered without Redis: {found:?}"),
        () = proxy.stopped() => {}
    }
}

async fn refuses_for_ever(node: &Tested, grant: &Grant, what: &str) {
    for _ in 0..LATER {
        assert!(!node.accepts(grant).await, "{}, {what}: accepted after its end", node.name);
        assert!(!keeps(node, grant), "{}, {what}: kept", node.name);
    }
}

#[tokio::test]
async fn a_record_that_was_read_before_another_node_ended_it_is_not_kept() {
    let nodes = Nodes::start().await;
    for (slow, other) in nodes.pairs(true) {
        for which in 0..3 {
            let signs = Signs::keep(&nodes.bench, &slow, &other).await;
            let grant = other.log_in(&nodes.bench.bob().await).await;
            let (presented, trace) = (presented(&grant), Trace::default());
            nodes.proxy.hold(Hold::answers_to(&grant.identity.login));
            let mut reading = pin!(slow.strategy.identify(&presented, &trace));
            ask(&nodes.proxy, reading.as_mut()).await;
            let reach = reaches(&grant)[which].clone();
            let what = format!("{reach:?}");
            other.revoke(&grant, reach).await;
            if let Some(signs) = &signs {
                signs.wait_for_push(&slow, &other).await;
            }
            nodes.proxy.release();
            let found = reading.await.expect("an answer");
            assert!(found.is_some(), "{}, {what}: it was asked before the end", slow.name);
            if let Some(signs) = &signs {
                assert!(keeps(&slow, &signs.witness), "{}, {what}: nothing is trusted", slow.name);
            }
            refuses_for_ever(&slow, &grant, &what).await;
        }
    }
}

/// Here not even the push arrives: the node that revokes knows it by itself.
#[tokio::test]
async fn a_record_that_was_read_before_this_node_ended_it_is_not_kept() {
    let nodes = Nodes::start().await;
    for (slow, other) in nodes.pairs(true) {
        // To end every login it asks for their names first, behind the answer that is held back: that comes before the end.
        for which in 0..2 {
            let mut judged = 0;
            // With the pushes held back the memory is trusted for a while only: a round that was too slow says nothing.
            for _ in 0..20 * ROUNDS {
                judged += usize::from(own_end(&nodes, &slow, &other, which).await);
                if judged == ROUNDS {
                    break;
                }
            }
            assert_eq!(judged, ROUNDS, "{}: always too slow", slow.name);
        }
    }
}

/// One round; true if the node's memory was trusted to the end of it.
async fn own_end(nodes: &Nodes, slow: &Tested, other: &Tested, which: usize) -> bool {
    let signs = Signs::keep(&nodes.bench, slow, other).await;
    // So that Redis knows the script: the question whether it does would be held back, too.
    let first = other.log_in(&nodes.bench.bob().await).await;
    other.revoke(&first, reaches(&first)[which].clone()).await;
    let grant = other.log_in(&nodes.bench.bob().await).await;
    let (presented, trace) = (presented(&grant), Trace::default());
    nodes.proxy.hold(Hold { pushes: true, ..Hold::answers_to(&grant.identity.login) });
    let mut reading = pin!(slow.strategy.identify(&presented, &trace));
    ask(&nodes.proxy, reading.as_mut()).await;
    let reach = reaches(&grant)[which].clone();
    let what = format!("{reach:?}, by itself");
    let mut end = pin!(slow.strategy.revoke(&grant.identity, reach, &trace));
    tokio::select! {
        biased;
        done = &mut end => {
            assert!(done.is_err(), "answered without Redis");
            nodes.proxy.release();
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
    let mut filled = 0;
    for (slow, other) in nodes.pairs(false) {
        for which in 0..3 {
            let grant = other.log_in(&nodes.bench.bob().await).await;
            let (presented, trace) = (presented(&grant), Trace::default());
            // No other command says how long that is.
            nodes.proxy.hold(Hold::commands(&KEPT.as_millis()));
            let mut reading = pin!(slow.strategy.identify(&presented, &trace));
            tokio::select! {
                biased;
                // It keeps the list in its memory and does not ask.
                found = &mut reading => assert!(found.expect("an answer").is_some(), "{}", slow.name),
                () = nodes.proxy.stopped() => {
                    other.revoke(&grant, reaches(&grant)[which].clone()).await;
                    nodes.proxy.release();
                    assert!(reading.await.expect("an answer").is_some(), "{}: it was asked before", slow.name);
                    refuses_for_ever(&other, &grant, "beside it").await;
                    if slow.bound() > Some(Duration::ZERO) {
                        until("the push has arrived", async || !slow.accepts(&grant).await).await;
                    }
                    refuses_for_ever(&slow, &grant, "filled in").await;
                    filled += 1;
                }
            }
            nodes.proxy.release();
        }
    }
    assert!(filled >= 3, "nothing was filled in");
}

fn presented(grant: &Grant) -> Presented {
    Presented::new(Some(grant.credential.expose_secret().to_owned()))
}
