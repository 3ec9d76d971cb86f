//! Opening a login, being recognised by it, and the list of devices.

use jwt_vs_session::auth::{Credentials, RevokeScope};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret;

use super::subjects::{Bench, LIFE, TICK};

#[tokio::test]
async fn a_credential_says_who_logged_in_under_which_name_and_until_when() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        for who in [bench.alice().await, bench.bob().await] {
            let grant = subject.log_in(&who).await;
            let found = subject.identify(&grant.credential).await;
            assert_eq!(found.as_ref(), Some(&grant.identity), "{}", subject.name);
            assert_eq!(grant.identity.subject, who, "{}", subject.name);
            assert_eq!(grant.identity.issued_at, bench.clock.now(), "{}", subject.name);
            assert_eq!(grant.identity.expires_at, bench.clock.now() + LIFE, "{}", subject.name);
            assert!(grant.max_age >= LIFE, "{}: the browser forgets it too early", subject.name);
        }
    }
}

#[tokio::test]
async fn no_credential_is_nobody_and_no_refusal() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let trace = Trace::on();
        let found = subject.strategy.identify(&Credentials::new(None), &trace).await.expect("an answer");
        assert_eq!(found, None, "{}", subject.name);
        assert_eq!(trace.refusal(), None, "{}", subject.name);
    }
}

#[tokio::test]
async fn every_login_gets_a_name_and_a_credential_that_no_other_has() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let who = bench.alice().await;
        let (one, two) = (subject.log_in(&who).await, subject.log_in(&who).await);
        assert_ne!(one.identity.login, two.identity.login, "{}", subject.name);
        assert_ne!(one.credential.expose_secret(), two.credential.expose_secret(), "{}", subject.name);
        for grant in [&one, &two] {
            assert_ne!(grant.credential.expose_secret(), grant.identity.login.as_str(), "{}", subject.name);
            let by_name = subject.identify(&grant.identity.login.to_string().into()).await;
            assert_eq!(by_name, None, "{}: its public name logs in", subject.name);
        }
    }
}

#[tokio::test]
async fn an_old_credential_is_not_taken_up_by_the_next_login() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let who = bench.alice().await;
        let old = subject.log_in(&who).await;
        let effect = subject.revoke(&old, RevokeScope::This).await;
        subject.assert_ended(&bench, &old, effect).await;
        assert_eq!(subject.identify(&old.credential).await, None, "{}", subject.name);
        let new = subject.log_in(&who).await;
        assert_ne!(new.credential.expose_secret(), old.credential.expose_secret(), "{}", subject.name);
        assert!(subject.accepts(&new).await, "{}", subject.name);
        assert!(!subject.accepts(&old).await, "{}: the old credential works again", subject.name);
    }
}

#[tokio::test]
async fn a_made_up_session_id_is_not_taken_up_by_a_login() {
    let bench = Bench::start().await;
    for (subject, _) in bench.with_records() {
        let planted = tower_sessions::session::Id::default().to_string();
        assert_eq!(subject.identify(&planted.clone().into()).await, None, "{}", subject.name);
        let grant = subject.log_in(&bench.alice().await).await;
        assert_ne!(grant.credential.expose_secret(), planted, "{}", subject.name);
        assert_eq!(subject.identify(&planted.into()).await, None, "{}", subject.name);
    }
}

#[tokio::test]
async fn two_devices_are_listed_the_latest_first_or_it_is_said_why_nobody_can_know() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let (who, other) = (bench.alice().await, bench.bob().await);
        let phone = subject.log_in_from(&who, "a phone").await;
        subject.log_in(&other).await;
        bench.clock.advance(TICK);
        let desk = subject.log_in_from(&who, "a desk").await;
        let logins = subject.strategy.logins(who.id, &Trace::default()).await.expect("an answer");
        assert_eq!(logins.is_some(), subject.strategy.describe().lists_logins, "{}", subject.name);
        let Some(logins) = logins else { continue };
        assert_eq!(logins.len(), 2, "{}", subject.name);
        for (login, (grant, label)) in logins.iter().zip([(&desk, "a desk"), (&phone, "a phone")]) {
            assert_eq!(login.id, grant.identity.login, "{}", subject.name);
            assert_eq!((login.device.label.as_str(), login.device.address.as_str()), (label, "192.0.2.7"));
            assert_eq!(login.issued_at, grant.identity.issued_at, "{}", subject.name);
            assert_eq!(login.seen_at, grant.identity.issued_at, "{}", subject.name);
            assert_eq!(login.expires_at, grant.identity.expires_at, "{}", subject.name);
        }
    }
}

#[tokio::test]
async fn the_list_of_devices_follows_each_end_and_each_expiry() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let who = bench.alice().await;
        let one = subject.log_in(&who).await;
        bench.clock.advance(TICK);
        let two = subject.log_in(&who).await;
        bench.clock.advance(TICK);
        let three = subject.log_in(&who).await;
        let name = |grant: &jwt_vs_session::auth::Grant| grant.identity.login.clone();
        let Some(before) = subject.logins(&who).await else { continue };
        assert_eq!(before, [name(&three), name(&two), name(&one)], "{}", subject.name);
        subject.revoke(&two, RevokeScope::This).await;
        assert_eq!(subject.logins(&who).await, Some(vec![name(&three), name(&one)]), "{}", subject.name);
        bench.go_to(one.identity.expires_at);
        assert_eq!(subject.logins(&who).await, Some(vec![name(&three)]), "{}", subject.name);
        bench.go_to(three.identity.expires_at);
        assert_eq!(subject.logins(&who).await, Some(Vec::new()), "{}", subject.name);
    }
}

#[tokio::test]
async fn the_list_of_devices_shows_no_login_that_would_be_refused() {
    let bench = Bench::start().await;
    for (subject, _) in bench.with_records() {
        let (who, stricter) = (bench.alice().await, (subject.living)(LIFE / 2));
        let grant = subject.log_in(&who).await;
        let logins = stricter.logins(who.id, &Trace::default()).await.expect("an answer").expect("a list");
        assert_eq!(logins[0].expires_at, grant.identity.issued_at + LIFE / 2, "{}", subject.name);
        bench.clock.advance(LIFE / 2);
        let logins = stricter.logins(who.id, &Trace::default()).await.expect("an answer");
        assert_eq!(logins.map(|logins| logins.len()), Some(0), "{}", subject.name);
    }
}
