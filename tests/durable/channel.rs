//! The channel over which Redis pushes is cut, or Redis stands still. While both work, a hit sends no command.

use std::time::{Duration, Instant};

use jwt_vs_session::auth::{Promise, RevokeScope};
use jwt_vs_session::trace::Trace;

use super::stores::{Stores, accepts, alice, credentials, open, until_accepted};
use crate::common::until;

/// The promised bound while the push channel is cut.
const BOUND: Duration = Duration::from_millis(500);

/// Revokes on the first node after `cut`, and probes the second one until long after the bound.
async fn last_accepted(stores: &Stores, cut: impl AsyncFn(&Stores), then: impl AsyncFn(&Stores)) {
    let (first, second) = (stores.node().await, stores.node().await);
    for (here, there) in first.iter().zip(&second) {
        let Promise::Push { bound_ms } = here.describe().promise else { continue };
        assert!(Duration::from_millis(bound_ms) <= BOUND);
        let grant = open(here.as_ref(), &alice()).await;
        let credentials = credentials(&grant);
        until_accepted(there.as_ref(), &credentials).await;
        // From here on the second node uses its memory.
        for _ in 0..50 {
            accepts(there.as_ref(), &credentials).await;
        }
        cut(stores).await;
        // The node that revokes has lost its connection too, and reconnects by itself.
        until("the log out is answered", async || {
            here.revoke(&grant.identity, RevokeScope::This, &Trace::off()).await.is_ok()
        })
        .await;
        let answered = Instant::now();
        then(stores).await;
        let mut last = Duration::ZERO;
        while answered.elapsed() < 3 * BOUND {
            let probed = answered.elapsed();
            if accepts(there.as_ref(), &credentials).await {
                last = probed;
            }
            tokio::task::yield_now().await;
        }
        println!("{}: last accepted {last:?} after the answer", here.describe().slug);
        assert!(last <= BOUND, "{}: accepted {last:?} after the answer", here.describe().slug);
        stores.redis.thaw();
        until("Redis is back", async || here.identify(&credentials, &Trace::off()).await.is_ok()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_its_channel_cut_a_node_accepts_no_revoked_login_after_the_bound() {
    let stores = Stores::start().await;
    let cut = async |stores: &Stores| {
        for kind in ["pubsub", "normal"] {
            stores.redis.command(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"]).await;
        }
    };
    last_accepted(&stores, cut, async |_| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_redis_stopped_no_revoked_login_is_accepted_after_the_bound() {
    let stores = Stores::start().await;
    last_accepted(&stores, async |_| {}, async |stores| stores.redis.freeze()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_hits_send_no_command_for_a_session() {
    let stores = Stores::start().await;
    let node = stores.node().await.pop().expect("session-tracked");
    let grant = open(node.as_ref(), &alice()).await;
    let credentials = credentials(&grant);
    until_accepted(node.as_ref(), &credentials).await;
    let gets = async || {
        let info = stores.redis.command(&["INFO", "commandstats"]).await;
        let info: String = redis::from_redis_value(info).expect("text");
        let line = info.lines().find(|line| line.starts_with("cmdstat_get:")).unwrap_or("").to_owned();
        line.split(['=', ',']).nth(1).and_then(|calls| calls.parse::<u64>().ok()).unwrap_or_default()
    };
    // Until the channel has proven that no push is missing, every check reads Redis; after a pause of the machine, too.
    until("ten thousand hits in a row have sent no command", async || {
        let (before, mut accepted) = (gets().await, 0);
        for _ in 0..10_000 {
            accepted += usize::from(accepts(node.as_ref(), &credentials).await);
        }
        let sent = gets().await - before;
        println!("{accepted} of 10,000 requests were accepted and sent {sent} GETs");
        (accepted, sent) == (10_000, 0)
    })
    .await;
}
