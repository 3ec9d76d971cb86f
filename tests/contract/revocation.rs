//! Ending logins: this one, another one, all of them; and what a replay of the old credential meets.

use jwt_vs_session::auth::{Credentials, Effect, Grant, RevokeScope};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret;

use super::subjects::{Bench, TICK, Tested};

#[tokio::test]
async fn a_credential_replayed_after_the_log_out_meets_what_its_strategy_promises() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let grant = subject.log_in(&bench.alice().await).await;
        let effect = subject.revoke(&grant, RevokeScope::This).await;
        if let Effect::At(end) = effect {
            assert_eq!(end, grant.identity.expires_at, "{}", subject.name);
        }
        subject.assert_ended(&bench, &grant, effect).await;
    }
}

#[tokio::test]
async fn a_second_log_out_is_answered_like_the_first() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let grant = subject.log_in(&bench.alice().await).await;
        for scope in [RevokeScope::This, RevokeScope::Other(grant.identity.login.clone()), RevokeScope::Everywhere] {
            let first = subject.revoke(&grant, scope.clone()).await;
            let second = subject.revoke(&grant, scope.clone()).await;
            assert_eq!(first, second, "{}: {scope:?}", subject.name);
        }
        let effect = subject.revoke(&grant, RevokeScope::This).await;
        subject.assert_ended(&bench, &grant, effect).await;
    }
}

#[tokio::test]
async fn a_log_out_ends_no_other_login_unless_the_strategy_says_that_it_must() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let who = bench.alice().await;
        let (mine, second, others) =
            (subject.log_in(&who).await, subject.log_in(&who).await, subject.log_in(&bench.bob().await).await);
        let effect = subject.revoke(&mine, RevokeScope::This).await;
        assert_eq!(
            subject.accepts(&second).await,
            !subject.ends_only_all(),
            "{}: the user's other login",
            subject.name
        );
        assert!(subject.accepts(&others).await, "{}: another user's login", subject.name);
        subject.assert_ended(&bench, &mine, effect).await;
    }
}

#[tokio::test]
async fn a_log_out_everywhere_ends_every_login_of_the_user_and_none_of_another() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let who = bench.alice().await;
        let mut mine = Vec::new();
        for _ in 0..3 {
            mine.push(subject.log_in(&who).await);
        }
        let others = subject.log_in(&bench.bob().await).await;
        let effect = subject.revoke(&mine[0], RevokeScope::Everywhere).await;
        assert!(subject.accepts(&others).await, "{}: another user's login", subject.name);
        let accepted = count_accepted(&subject, &mine).await;
        let expected = if subject.ends_at_once() { 0 } else { mine.len() };
        assert_eq!(accepted, expected, "{}", subject.name);
        subject.assert_ended(&bench, &mine[2], effect).await;
        assert_eq!(count_accepted(&subject, &mine).await, 0, "{}", subject.name);
        assert!(subject.logins(&who).await.is_none_or(|logins| logins.is_empty()), "{}", subject.name);
    }
}

/// What a password change does: end all, then open one.
#[tokio::test]
async fn a_login_opened_after_a_log_out_everywhere_is_accepted() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let who = bench.alice().await;
        let old = subject.log_in(&who).await;
        let effect = subject.revoke(&old, RevokeScope::Everywhere).await;
        let renewed = subject.log_in(&who).await;
        assert!(subject.accepts(&renewed).await, "{}", subject.name);
        let listed = subject.logins(&who).await;
        assert!(listed.is_none_or(|logins| logins == [renewed.identity.login.clone()]), "{}", subject.name);
        subject.assert_ended(&bench, &old, effect).await;
    }
}

#[tokio::test]
async fn one_device_ends_another_and_stays() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let who = bench.alice().await;
        let (desk, phone, tablet) =
            (subject.log_in(&who).await, subject.log_in(&who).await, subject.log_in(&who).await);
        let effect = subject.revoke(&desk, RevokeScope::Other(phone.identity.login.clone())).await;
        assert_eq!(subject.accepts(&desk).await, !subject.ends_only_all(), "{}: the one that asked", subject.name);
        assert_eq!(subject.accepts(&tablet).await, !subject.ends_only_all(), "{}: a third one", subject.name);
        subject.assert_ended(&bench, &phone, effect).await;
    }
}

#[tokio::test]
async fn nobody_ends_a_login_of_somebody_else_by_its_name() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let (mallory, victim) = (bench.bob().await, bench.alice().await);
        let (evil, good) = (subject.log_in(&mallory).await, subject.log_in(&victim).await);
        let login = good.identity.login.clone();
        subject.revoke(&evil, RevokeScope::Other(login.clone())).await;
        assert!(subject.accepts(&good).await, "{}: ended by a stranger", subject.name);
        assert!(subject.logins(&victim).await.is_none_or(|logins| logins == [login]), "{}", subject.name);
        assert_eq!(subject.accepts(&evil).await, !subject.ends_only_all(), "{}", subject.name);
    }
}

#[tokio::test]
async fn a_refused_credential_leaves_its_reason_in_the_trace() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let grant = subject.log_in(&bench.alice().await).await;
        bench.go_to(grant.identity.expires_at + TICK);
        let trace = Trace::on();
        let credentials = Credentials::new(Some(grant.credential.expose_secret().to_owned()));
        let found = subject.strategy.identify(&credentials, &trace).await.expect("an answer");
        assert_eq!(found, None, "{}", subject.name);
        assert!(trace.refusal().is_some_and(|reason| reason.len() > 10), "{}: no reason", subject.name);
    }
}

async fn count_accepted(subject: &Tested, grants: &[Grant]) -> usize {
    let mut accepted = 0;
    for grant in grants {
        accepted += usize::from(subject.accepts(grant).await);
    }
    accepted
}
