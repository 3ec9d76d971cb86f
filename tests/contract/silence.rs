//! A node that hears nothing from Redis any more, and does not know it: no connection is closed.

use std::time::Instant;

use jwt_vs_session::auth::{Credentials, Grant, RevokeScope};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;

use super::fixture::Fixture;
use super::strategy_under_test::StrategyUnderTest;
use crate::common::proxy::{Hold, Proxy};
use crate::common::until;

/// A round counts if the node still used its memory when the revoke was answered: it does so for less than the bound.
const ROUNDS: usize = 50;

pub async fn a_node_that_no_push_reaches_refuses_a_revoked_login_after_the_bound(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let proxy = Proxy::before(fixture.redis().port()).await;
    let silent = fixture.node_through(&proxy.url()).await;
    for _ in 0..ROUNDS {
        let grant = node.log_in(&fixture.alice().await).await;
        until("the node uses its memory", async || {
            let trace = Trace::on();
            accepts(&silent, &grant, &trace).await && trace.store_calls() == 0
        })
        .await;
        proxy.hold(Hold::everything());
        node.revoke(&grant, RevokeScope::This).await;
        let answered = Instant::now();
        // Redis answers nothing: an accepted login was in the memory of the node.
        if accepts(&silent, &grant, &Trace::off()).await {
            return refuses_after_the_bound(&silent, &grant, answered).await;
        }
        proxy.release();
    }
    panic!("the node never used its memory after the revoke");
}

async fn refuses_after_the_bound(node: &StrategyUnderTest, grant: &Grant, answered: Instant) {
    let bound = node.bound().expect("a bound");
    while answered.elapsed() < 4 * bound {
        let probed = answered.elapsed();
        let accepted = accepts(node, grant, &Trace::off()).await;
        assert!(!accepted || probed <= bound, "accepted {probed:?} after the answer to the revoke");
    }
}

/// Whether a node accepts a login. A failure of a store does not accept it.
async fn accepts(node: &StrategyUnderTest, grant: &Grant, trace: &Trace) -> bool {
    let credentials = Credentials::new(Some(grant.credential.expose_secret().to_owned()));
    matches!(node.strategy.identify(&credentials, trace).await, Ok(Some(_)))
}
