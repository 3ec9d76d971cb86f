//! Revoking this login, another login, every login; and what becomes of a replayed credential.

use jwt_vs_session::auth::{Credentials, Effect, Grant, RevokeScope};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret;

use super::fixture::{Fixture, TICK};
use super::strategy_under_test::StrategyUnderTest;
use crate::common::until;

pub async fn a_credential_replayed_after_a_log_out_is_refused_as_promised(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    let effect = node.revoke(&grant, RevokeScope::This).await;
    if let Effect::At(end) = effect {
        assert_eq!(end, grant.identity.expires_at);
    }
    node.assert_ended(&fixture, &grant, effect).await;
}

pub async fn a_second_log_out_is_answered_like_the_first(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    for scope in [RevokeScope::This, RevokeScope::Other(grant.identity.login.clone()), RevokeScope::Everywhere] {
        let first = node.revoke(&grant, scope.clone()).await;
        let second = node.revoke(&grant, scope.clone()).await;
        assert_eq!(first, second, "{scope:?}");
    }
    let effect = node.revoke(&grant, RevokeScope::This).await;
    node.assert_ended(&fixture, &grant, effect).await;
}

pub async fn a_log_out_revokes_only_what_the_strategy_says(fixture: Fixture, node: StrategyUnderTest) {
    let who = fixture.alice().await;
    let (mine, second, others) =
        (node.log_in(&who).await, node.log_in(&who).await, node.log_in(&fixture.bob().await).await);
    let effect = node.revoke(&mine, RevokeScope::This).await;
    assert_eq!(node.accepts(&second).await, !node.ends_only_all(), "the user's other login");
    assert!(node.accepts(&others).await, "another user's login");
    node.assert_ended(&fixture, &mine, effect).await;
}

pub async fn a_log_out_everywhere_revokes_every_login_of_the_user_and_of_nobody_else(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let who = fixture.alice().await;
    let mut mine = Vec::new();
    for _ in 0..3 {
        mine.push(node.log_in(&who).await);
    }
    let others = node.log_in(&fixture.bob().await).await;
    let effect = node.revoke(&mine[0], RevokeScope::Everywhere).await;
    assert!(node.accepts(&others).await, "another user's login");
    let accepted = count_accepted(&node, &mine).await;
    let expected = if node.ends_at_once() { 0 } else { mine.len() };
    assert_eq!(accepted, expected);
    node.assert_ended(&fixture, &mine[2], effect).await;
    assert_eq!(count_accepted(&node, &mine).await, 0);
    assert!(node.logins(&who).await.is_none_or(|logins| logins.is_empty()));
}

/// A password change does this: it revokes every login, then opens one.
pub async fn a_login_opened_after_a_log_out_everywhere_is_accepted(fixture: Fixture, node: StrategyUnderTest) {
    let who = fixture.alice().await;
    let old = node.log_in(&who).await;
    let effect = node.revoke(&old, RevokeScope::Everywhere).await;
    let renewed = node.log_in(&who).await;
    assert!(node.accepts(&renewed).await);
    let listed = node.logins(&who).await;
    assert!(listed.is_none_or(|logins| logins == [renewed.identity.login.clone()]));
    node.assert_ended(&fixture, &old, effect).await;
}

pub async fn one_device_revokes_another_and_stays(fixture: Fixture, node: StrategyUnderTest) {
    let who = fixture.alice().await;
    let (desk, phone, tablet) = (node.log_in(&who).await, node.log_in(&who).await, node.log_in(&who).await);
    let effect = node.revoke(&desk, RevokeScope::Other(phone.identity.login.clone())).await;
    assert_eq!(node.accepts(&desk).await, !node.ends_only_all(), "the login that revoked");
    assert_eq!(node.accepts(&tablet).await, !node.ends_only_all(), "a third login");
    node.assert_ended(&fixture, &phone, effect).await;
}

pub async fn nobody_revokes_a_login_of_another_user(fixture: Fixture, node: StrategyUnderTest) {
    let (mallory, victim) = (fixture.bob().await, fixture.alice().await);
    let (theirs, mine) = (node.log_in(&mallory).await, node.log_in(&victim).await);
    let login = mine.identity.login.clone();
    node.revoke(&theirs, RevokeScope::Other(login.clone())).await;
    assert!(node.accepts(&mine).await, "revoked by a stranger");
    assert!(node.logins(&victim).await.is_none_or(|logins| logins == [login]));
    assert_eq!(node.accepts(&theirs).await, !node.ends_only_all());
}

pub async fn a_refused_credential_leaves_its_reason_in_the_trace(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    fixture.go_to(grant.identity.expires_at + TICK);
    let trace = Trace::on();
    let credentials = Credentials::new(Some(grant.credential.expose_secret().to_owned()));
    let found = node.strategy.identify(&credentials, &trace).await.expect("an answer");
    assert_eq!(found, None);
    assert!(trace.refusal().is_some_and(|reason| reason.len() > 10), "no reason");
}

async fn count_accepted(node: &StrategyUnderTest, grants: &[Grant]) -> usize {
    let mut accepted = 0;
    for grant in grants {
        accepted += usize::from(node.accepts(grant).await);
    }
    accepted
}

/// A revocation must last as long as what it revokes. A node that starts late reads it from the stores.
pub async fn a_revoked_login_is_refused_to_the_last_millisecond_also_by_a_new_node(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let one = node.log_in(&fixture.alice().await).await;
    let all = node.log_in(&fixture.bob().await).await;
    node.revoke(&one, RevokeScope::This).await;
    node.revoke(&all, RevokeScope::Everywhere).await;
    fixture.go_to(one.identity.expires_at - TICK);
    for node in [fixture.other_node(&node).await, node] {
        assert!(!node.accepts(&one).await, "the revocation expired before the login");
        assert!(!node.accepts(&all).await, "the revocation of all expired before the login");
    }
}

/// A node that has the revocations in its memory cleans it up after 512 more.
pub async fn later_revocations_bring_no_earlier_one_back(fixture: Fixture, node: StrategyUnderTest) {
    let other = fixture.other_node(&node).await;
    let one = node.log_in(&fixture.alice().await).await;
    let all = node.log_in(&fixture.bob().await).await;
    node.revoke(&one, RevokeScope::This).await;
    node.revoke(&all, RevokeScope::Everywhere).await;
    let who = fixture.alice().await;
    for _ in 0..600 {
        let later = node.log_in(&who).await;
        node.revoke(&later, RevokeScope::This).await;
    }
    let witness = node.log_in(&who).await.credentials();
    for node in [node, other] {
        until("the node uses its memory", async || {
            let trace = Trace::on();
            let found = node.strategy.identify(&witness, &trace).await;
            matches!(found, Ok(Some(_))) && trace.store_calls() == 0
        })
        .await;
        assert!(!node.accepts(&one).await && !node.accepts(&all).await, "a revoked login came back");
    }
}
