//! When a login expires, to the millisecond, on a clock that the check moves.

use jwt_vs_session::store::sessions::LoginRecord;
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret;

use super::fixture::{ABSOLUTE, Fixture, LIFE, TICK};
use super::strategy_under_test::{StrategyUnderTest, identify, stored_login};

pub async fn an_unused_login_expires_when_it_said(fixture: Fixture, node: StrategyUnderTest) {
    let (used, unused) = (node.log_in(&fixture.alice().await).await, node.log_in(&fixture.alice().await).await);
    fixture.go_to(used.identity.expires_at - TICK);
    assert!(node.accepts(&used).await, "refused a millisecond early");
    fixture.go_to(unused.identity.expires_at);
    assert!(!node.accepts(&unused).await, "accepted at its expiry");
    fixture.clock.advance(LIFE * 100);
    assert!(!node.accepts(&unused).await, "accepted long after");
}

/// The operator shortens a limit: it also bounds a token that was signed, and a record that was written, before.
pub async fn a_shortened_limit_bounds_older_logins(fixture: Fixture, node: StrategyUnderTest) {
    let stricter = node.living(LIFE / 2);
    let (used, unused) = (node.log_in(&fixture.alice().await).await, node.log_in(&fixture.alice().await).await);
    let end = used.identity.issued_at + LIFE / 2;
    fixture.go_to(end - TICK);
    assert!(identify(stricter.as_ref(), used.credential.expose_secret()).await.is_some());
    fixture.go_to(end);
    let refused = identify(stricter.as_ref(), unused.credential.expose_secret()).await;
    assert_eq!(refused, None, "older than the limit of today");
    assert!(node.accepts(&unused).await, "the longer limit still holds elsewhere");
}

pub async fn a_session_in_use_outlives_the_idle_limit(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    for _ in 0..4 {
        fixture.go_to(fixture.clock.now() + LIFE - TICK);
        let found = node.identify(&grant.credential).await.expect("still logged in");
        assert_eq!(found.expires_at, fixture.clock.now() + LIFE);
        assert_eq!(found.issued_at, grant.identity.issued_at);
    }
    fixture.clock.advance(LIFE);
    assert!(!node.accepts(&grant).await, "the idle limit does not count");
}

pub async fn a_page_that_only_sits_open_keeps_no_session_alive(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    let open_page = grant.credentials().passive();
    let accepts = async || node.strategy.identify(&open_page, &Trace::off()).await.expect("an answer").is_some();
    for _ in 0..4 {
        fixture.clock.advance(LIFE / 5);
        assert!(accepts().await, "before the idle limit");
    }
    fixture.clock.advance(LIFE / 5);
    assert!(!accepts().await, "the page kept it alive");
}

pub async fn a_session_in_use_expires_at_the_absolute_limit(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    assert_eq!(grant.max_age, ABSOLUTE);
    let end = grant.identity.issued_at + ABSOLUTE;
    while fixture.clock.now() + LIFE / 3 < end {
        fixture.clock.advance(LIFE / 3);
        let found = node.identify(&grant.credential).await.expect("still logged in");
        assert!(found.expires_at <= end, "promises more than the absolute limit");
    }
    fixture.go_to(end - TICK);
    assert!(node.accepts(&grant).await, "refused a millisecond early");
    fixture.go_to(end);
    assert!(!node.accepts(&grant).await, "the absolute limit does not count");
}

pub async fn a_shortened_absolute_limit_bounds_older_sessions(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    while fixture.clock.now() < grant.identity.issued_at + ABSOLUTE / 2 {
        fixture.clock.advance(LIFE / 3);
        assert!(node.accepts(&grant).await, "the longer limit still holds on this node");
    }
    let stricter = node.living(LIFE / 2);
    let refused = identify(stricter.as_ref(), grant.credential.expose_secret()).await;
    assert_eq!(refused, None, "older than the absolute limit of today");
}

pub async fn using_a_session_writes_at_most_once_in_a_tenth_of_the_idle_limit(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let store = node.records();
    let grant = node.log_in(&fixture.alice().await).await;
    let mut seen = vec![stored_login(&store, &grant).await.seen];
    for _ in 0..200 {
        fixture.clock.advance(LIFE / 100);
        assert!(node.accepts(&grant).await);
        seen.push(stored_login(&store, &grant).await.seen);
    }
    seen.dedup();
    assert_eq!(seen.len() - 1, 20, "writes in two idle limits");
    let pauses = seen.windows(2).map(|pair| pair[1].since(pair[0]));
    assert!(pauses.min() >= Some(LIFE / 10), "two writes too close");
}

pub async fn the_sliding_write_comes_at_a_tenth_of_the_idle_limit_and_not_before(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let store = node.records();
    let grant = node.log_in(&fixture.alice().await).await;
    let written = stored_login(&store, &grant).await;
    fixture.go_to(fixture.clock.now() + LIFE / 10 - TICK);
    assert!(node.accepts(&grant).await);
    assert_eq!(stored_login(&store, &grant).await, written, "written too early");
    fixture.clock.advance(TICK);
    assert!(node.accepts(&grant).await);
    let now = fixture.clock.now();
    let slid = LoginRecord { seen: now, expires: now + LIFE, ..written };
    assert_eq!(stored_login(&store, &grant).await, slid);
}
