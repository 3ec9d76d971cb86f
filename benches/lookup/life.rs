//! `issue/…` and `revoke/…`: opening a login and revoking it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use jwt_vs_session::auth::{AuthStrategy, Effect, Promise, RevokeScope};
use jwt_vs_session::identity::Subject;
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;

use crate::stage::Stage;
use crate::stage::logins::{OpenLogin, device};
use crate::stage::timing::spawned;

pub fn all(criterion: &mut Criterion, stage: &Stage) {
    bench(&mut criterion.benchmark_group("issue"), stage, issue);
    bench(&mut criterion.benchmark_group("revoke"), stage, revoke);
}

fn bench<F>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    stage: &Stage,
    timed: impl Fn(Arc<dyn AuthStrategy>, Arc<[Subject]>, u64) -> F,
) where
    F: Future<Output = Duration> + Send + 'static,
{
    // A statement that waits for the disk takes milliseconds: fewer samples in the same time.
    group.sample_size(20);
    let guests: Arc<[Subject]> = stage.guests().into();
    for strategy in stage.node.strategies() {
        group.bench_function(strategy.describe().slug, |bencher| {
            bencher.iter_custom(|times| spawned(&stage.runtime, timed(strategy.clone(), guests.clone(), times)));
        });
    }
}

/// Untimed: the last login must be accepted, and then all are revoked.
async fn issue(strategy: Arc<dyn AuthStrategy>, guests: Arc<[Subject]>, times: u64) -> Duration {
    let (device, mut took, mut last) = (device(), Duration::ZERO, None);
    for subject in guests.iter().cycle().take(usize::try_from(times).expect("64 bits")) {
        let begun = Instant::now();
        let trace = Trace::off();
        let grant = strategy.issue(subject, &device, &trace).await.expect("a login is opened");
        assert!(grant.identity.subject.id == subject.id && !grant.credential.expose_secret().is_empty());
        took += begun.elapsed();
        last = Some(grant);
    }
    let last = OpenLogin::new(last.expect("at least one"));
    last.must_be(&strategy.identify(&last.credentials, &Trace::off()).await);
    if strategy.logins(guests[0].id, &Trace::off()).await.expect("a list, or none").is_some() {
        for subject in guests.iter() {
            let who = jwt_vs_session::auth::Identity { subject: subject.clone(), ..last.identity.clone() };
            strategy.revoke(&who, RevokeScope::Everywhere, &Trace::off()).await.expect("all logins are revoked");
        }
    }
    took
}

/// Untimed: each login is new and accepted before the revoke, and refused after it unless only expiry ends it.
async fn revoke(strategy: Arc<dyn AuthStrategy>, guests: Arc<[Subject]>, times: u64) -> Duration {
    let mut logins = Vec::new();
    for subject in guests.iter().cycle().take(usize::try_from(times).expect("64 bits")) {
        let grant = strategy.issue(subject, &device(), &Trace::off()).await.expect("a login is opened");
        logins.push(OpenLogin::new(grant));
    }
    for login in &logins {
        login.must_be(&strategy.identify(&login.credentials, &Trace::off()).await);
    }
    let expires = matches!(strategy.describe().promise, Promise::Expiry { .. });
    let begun = Instant::now();
    for login in &logins {
        let trace = Trace::off();
        let effect = strategy.revoke(&login.identity, RevokeScope::This, &trace).await.expect("the login is revoked");
        assert_eq!(matches!(effect, Effect::At(_)), expires, "{effect:?} is not the promise");
    }
    let took = begun.elapsed();
    for login in logins.iter().filter(|_| !expires) {
        let answer = strategy.identify(&login.credentials, &Trace::off()).await.expect("accepted or refused");
        assert!(answer.is_none(), "a revoked login is accepted");
    }
    took
}
