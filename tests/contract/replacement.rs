//! A password change replaces a login. A revoke that was answered wins over a replacement under way, on every node.

use jwt_vs_session::auth::{Credentials, Grant, RevokeScope};
use jwt_vs_session::identity::Device;
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;

use super::everywhere::goes_on;
use super::fixture::Fixture;
use super::races::answered;
use super::strategy_under_test::StrategyUnderTest;

const ROUNDS: usize = 40;

pub async fn a_replaced_login_and_all_others_are_revoked_and_one_is_opened(fixture: Fixture, node: StrategyUnderTest) {
    let (who, bob) = (fixture.alice().await, fixture.bob().await);
    let (old, other, theirs) = (node.log_in(&who).await, node.log_in(&who).await, node.log_in(&bob).await);
    let new = replace(&node, &old).await.expect("a login");
    assert!(
        new.identity.login != old.identity.login && new.credential.expose_secret() != old.credential.expose_secret()
    );
    assert!(goes_on(&node, &new).await && goes_on(&node, &theirs).await);
    if can_revoke(&node) {
        assert!(!goes_on(&node, &old).await && !goes_on(&node, &other).await);
    }
    assert!(node.logins(&who).await.is_none_or(|logins| logins == [new.identity.login.clone()]));
}

/// The other node need not have heard of the revoke yet: it was answered.
pub async fn a_revoked_login_is_not_replaced_on_any_node(fixture: Fixture, node: StrategyUnderTest) {
    let (here, there) = (node.clone(), fixture.other_node(&node).await);
    for way in ["this", "other", "everywhere"] {
        let who = fixture.alice().await;
        let (mine, second) = (here.log_in(&who).await, here.log_in(&who).await);
        // Both nodes then have the login in memory.
        assert!(here.accepts(&mine).await && there.accepts(&mine).await);
        match way {
            "this" => there.revoke(&mine, RevokeScope::This).await,
            "other" => there.revoke(&second, RevokeScope::Other(mine.identity.login.clone())).await,
            _ => there.revoke(&second, RevokeScope::Everywhere).await,
        };
        assert!(replace(&here, &mine).await.is_none(), "{way}: replaced");
        assert!(here.logins(&who).await.is_none_or(|logins| logins.is_empty()), "{way}: a login is left");
    }
}

/// Whichever comes first: before the replacement it revokes the old login, after it the new one.
pub async fn a_log_out_everywhere_during_a_replacement_leaves_no_login(fixture: Fixture, node: StrategyUnderTest) {
    let (here, there) = (node.clone(), fixture.other_node(&node).await);
    let mut new = Vec::new();
    for _ in 0..ROUNDS {
        let who = fixture.alice().await;
        let (mine, second) = (here.log_in(&who).await, there.log_in(&who).await);
        let (strategy, identity) = (there.strategy.clone(), second.identity.clone());
        let end = tokio::spawn(async move {
            while answered(strategy.revoke(&identity, RevokeScope::Everywhere, &Trace::default()).await).is_none() {}
        });
        new.extend(replace(&here, &mine).await);
        end.await.expect("an answer");
        assert!(here.logins(&who).await.is_none_or(|logins| logins.is_empty()), "a login is left");
    }
    tokio::time::sleep(here.bound().unwrap_or_default()).await;
    for grant in new {
        assert!(!goes_on(&here, &grant).await && !goes_on(&there, &grant).await, "a new login is left");
    }
}

async fn replace(node: &StrategyUnderTest, old: &Grant) -> Option<Grant> {
    let credentials: Credentials = old.credentials();
    loop {
        let (strategy, device) = (&node.strategy, Device::default());
        let replaced = strategy.replace(&old.identity, &credentials, &device, &Trace::default()).await;
        if let Some(grant) = answered(replaced) {
            return grant;
        }
    }
}

fn can_revoke(node: &StrategyUnderTest) -> bool {
    node.ends_at_once() || node.facts().transport.refresh_cookie.is_some()
}
