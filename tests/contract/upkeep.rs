//! What a strategy says about its store calls is what it sends.

use std::time::Duration;

use jwt_vs_session::auth::Grant;
use jwt_vs_session::identity::ClientOrigin;
use jwt_vs_session::trace::Trace;

use super::fixture::Fixture;
use super::strategy_under_test::StrategyUnderTest;

pub async fn an_upkeep_makes_the_store_calls_that_it_names(fixture: Fixture, node: StrategyUnderTest) {
    let upkeep = node.facts().upkeep.expect("an upkeep");
    // Redis then knows every script.
    let first = node.log_in(&fixture.bob().await).await;
    fall_due(&fixture, &node).await;
    upkeep_calls(&node, &first).await;
    let grant = node.log_in(&fixture.alice().await).await;
    assert!(node.accepts(&grant).await);
    let plain = check_calls(&node, &grant).await;
    assert_eq!(check_calls(&node, &grant).await, plain, "an upkeep comes only after a while");
    fall_due(&fixture, &node).await;
    let calls = upkeep_calls(&node, &grant).await;
    assert_eq!(calls, plain + usize::try_from(upkeep.calls).expect("a small number"));
}

/// Lets the upkeep of every login fall due. The keys that a user's logins share expire by the clock of Redis, which a
/// check cannot move: it deletes them.
async fn fall_due(fixture: &Fixture, node: &StrategyUnderTest) {
    let upkeep = node.facts().upkeep.expect("an upkeep");
    if upkeep.by_user {
        for key in fixture.keys_left().await {
            fixture.redis().command(&["DEL", &key]).await;
        }
    } else if !renews(node) {
        fixture.clock.advance(Duration::from_millis(upkeep.every_ms));
    }
}

fn renews(node: &StrategyUnderTest) -> bool {
    node.facts().transport.refresh_cookie.is_some()
}

async fn check_calls(node: &StrategyUnderTest, grant: &Grant) -> usize {
    let trace = Trace::on();
    let found = node.strategy.identify(&grant.credentials(), &trace).await.expect("an answer");
    assert_eq!(found.map(|found| found.login), Some(grant.identity.login.clone()));
    trace.store_calls()
}

/// The store calls of the request that makes the upkeep.
async fn upkeep_calls(node: &StrategyUnderTest, grant: &Grant) -> usize {
    if !renews(node) {
        return check_calls(node, grant).await;
    }
    let trace = Trace::on();
    let renewed = node.strategy.renew(&grant.credentials(), &ClientOrigin::default(), &trace).await;
    renewed.expect("an answer").grant().expect("a renewed login");
    trace.store_calls() + check_calls(node, grant).await
}
