//! Opening a login, authenticating a request by its credential, and the list of devices.

use jwt_vs_session::auth::{Credentials, Grant, RevokeScope};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret;

use super::fixture::{Fixture, LIFE, TICK};
use super::strategy_under_test::StrategyUnderTest;

pub async fn a_credential_proves_the_user_the_login_and_its_expiry(fixture: Fixture, node: StrategyUnderTest) {
    for who in [fixture.alice().await, fixture.bob().await] {
        let grant = node.log_in(&who).await;
        let found = node.identify(&grant.credential).await;
        assert_eq!(found.as_ref(), Some(&grant.identity));
        assert_eq!(grant.identity.subject, who);
        assert_eq!(grant.identity.issued_at, fixture.clock.now());
        assert_eq!(grant.identity.expires_at, fixture.clock.now() + LIFE);
        assert!(grant.max_age >= LIFE, "the browser forgets it too early");
    }
}

pub async fn a_request_without_a_credential_is_not_refused(_: Fixture, node: StrategyUnderTest) {
    let trace = Trace::on();
    let found = node.strategy.identify(&Credentials::new(None), &trace).await.expect("an answer");
    assert_eq!(found, None);
    assert_eq!(trace.refusal(), None);
}

pub async fn an_accepted_check_tells_what_both_sides_hold(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    let trace = Trace::on();
    assert!(node.strategy.identify(&grant.credentials(), &trace).await.expect("an answer").is_some());
    let (browser, server) = trace.held();
    assert!(browser.is_some_and(|held| held.bytes.is_some()), "the profile page shows what the browser holds");
    assert!(server.is_some(), "the profile page shows what the server holds");
}

pub async fn every_login_has_a_name_and_a_credential_of_its_own(fixture: Fixture, node: StrategyUnderTest) {
    let who = fixture.alice().await;
    let (one, two) = (node.log_in(&who).await, node.log_in(&who).await);
    assert_ne!(one.identity.login, two.identity.login);
    assert_ne!(one.credential.expose_secret(), two.credential.expose_secret());
    for grant in [&one, &two] {
        assert_ne!(grant.credential.expose_secret(), grant.identity.login.as_str());
        let by_name = node.identify(&grant.identity.login.to_string().into()).await;
        assert_eq!(by_name, None, "its public name logs in");
    }
}

pub async fn a_login_does_not_adopt_the_credential_before_it(fixture: Fixture, node: StrategyUnderTest) {
    let who = fixture.alice().await;
    let old = node.log_in(&who).await;
    let effect = node.revoke(&old, RevokeScope::This).await;
    node.assert_ended(&fixture, &old, effect).await;
    assert_eq!(node.identify(&old.credential).await, None);
    let new = node.log_in(&who).await;
    assert_ne!(new.credential.expose_secret(), old.credential.expose_secret());
    assert!(node.accepts(&new).await);
    assert!(!node.accepts(&old).await, "the old credential works again");
}

pub async fn a_login_does_not_adopt_a_made_up_session_id(fixture: Fixture, node: StrategyUnderTest) {
    let planted = tower_sessions::session::Id::default().to_string();
    assert_eq!(node.identify(&planted.clone().into()).await, None);
    let grant = node.log_in(&fixture.alice().await).await;
    assert_ne!(grant.credential.expose_secret(), planted);
    assert_eq!(node.identify(&planted.into()).await, None);
}

pub async fn the_list_of_devices_begins_with_the_latest_login(fixture: Fixture, node: StrategyUnderTest) {
    let (who, other) = (fixture.alice().await, fixture.bob().await);
    let phone = node.log_in_from(&who, "a phone").await;
    node.log_in(&other).await;
    fixture.clock.advance(TICK);
    let desk = node.log_in_from(&who, "a desk").await;
    let logins = node.strategy.logins(who.id, &Trace::default()).await.expect("an answer").expect("a list");
    assert_eq!(logins.len(), 2);
    for (login, (grant, label)) in logins.iter().zip([(&desk, "a desk"), (&phone, "a phone")]) {
        assert_eq!(login.id, grant.identity.login);
        assert_eq!((login.device.label.as_str(), login.device.address.as_str()), (label, "192.0.2.7"));
        assert_eq!(login.issued_at, grant.identity.issued_at);
        assert_eq!(login.seen_at, grant.identity.issued_at);
        assert_eq!(login.expires_at, grant.identity.expires_at);
    }
}

pub async fn a_strategy_that_cannot_list_logins_says_so(fixture: Fixture, node: StrategyUnderTest) {
    let who = fixture.alice().await;
    node.log_in(&who).await;
    assert_eq!(node.logins(&who).await, None);
}

pub async fn the_list_of_devices_follows_each_revocation_and_expiry(fixture: Fixture, node: StrategyUnderTest) {
    let who = fixture.alice().await;
    let one = node.log_in(&who).await;
    fixture.clock.advance(TICK);
    let two = node.log_in(&who).await;
    fixture.clock.advance(TICK);
    let three = node.log_in(&who).await;
    let name = |grant: &Grant| grant.identity.login.clone();
    assert_eq!(node.logins(&who).await, Some(vec![name(&three), name(&two), name(&one)]));
    node.revoke(&two, RevokeScope::This).await;
    assert_eq!(node.logins(&who).await, Some(vec![name(&three), name(&one)]));
    fixture.go_to(one.identity.expires_at);
    assert_eq!(node.logins(&who).await, Some(vec![name(&three)]));
    fixture.go_to(three.identity.expires_at);
    assert_eq!(node.logins(&who).await, Some(Vec::new()));
}

pub async fn the_list_of_devices_shows_no_login_that_would_be_refused(fixture: Fixture, node: StrategyUnderTest) {
    let (who, stricter) = (fixture.alice().await, node.living(LIFE / 2));
    let grant = node.log_in(&who).await;
    let logins = stricter.logins(who.id, &Trace::default()).await.expect("an answer").expect("a list");
    assert_eq!(logins[0].expires_at, grant.identity.issued_at + LIFE / 2);
    fixture.clock.advance(LIFE / 2);
    let logins = stricter.logins(who.id, &Trace::default()).await.expect("an answer");
    assert_eq!(logins.map(|logins| logins.len()), Some(0));
}
