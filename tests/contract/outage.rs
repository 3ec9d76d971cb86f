//! A store that is gone: what needs it fails fast and says neither yes nor no; what does not need it goes on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jwt_vs_session::auth::{
    AuthStrategy, Device, Failure, Grant, Identity, Need, Presented, Promise, Reach, Result, Subject,
};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret;
use tokio::task::JoinSet;

use super::subjects::{Bench, Tested};
use crate::common::until;

/// "While it is away `/session` answers 503 within a second."
const BOUND: Duration = Duration::from_secs(1);

/// "Within 2 s of its return `/session` works again."
const RETURN: Duration = Duration::from_secs(2);

#[tokio::test]
async fn with_redis_killed_what_needs_it_fails_within_a_second_and_recovers_within_two() {
    let mut bench = Bench::start().await;
    let (who, subjects) = (bench.alice().await, bench.subjects());
    let grants = log_in_everywhere(&subjects, &who).await;
    bench.redis.kill();
    for _ in 0..2 {
        assert_outage(&subjects, &grants).await;
    }
    bench.redis.restart().await;
    assert_return(&subjects, &bench.bob().await).await;
    for (subject, grant) in subjects.iter().zip(&grants) {
        if subject.strategy.describe().needs != Need::Redis {
            assert!(subject.accepts(grant).await, "{}: it had nothing in Redis", subject.name);
        } else if subject.store.is_some() {
            assert!(!subject.accepts(grant).await, "{}: Redis came back empty", subject.name);
        }
    }
}

#[tokio::test]
async fn with_redis_frozen_what_needs_it_fails_within_a_second_and_recovers_within_two() {
    let bench = Bench::start().await;
    let (who, subjects) = (bench.alice().await, bench.subjects());
    let kept = log_in_everywhere(&subjects, &bench.alice().await).await;
    let grants = log_in_everywhere(&subjects, &who).await;
    bench.redis.freeze();
    for _ in 0..2 {
        assert_outage(&subjects, &grants).await;
    }
    bench.redis.thaw();
    assert_return(&subjects, &who).await;
    for (subject, grant) in subjects.iter().zip(&kept) {
        assert!(subject.accepts(grant).await, "{}: nothing was lost", subject.name);
    }
}

#[tokio::test]
async fn sessions_on_a_redis_that_was_never_there_fail_and_work_once_it_comes() {
    let mut bench = Bench::start().await;
    bench.redis.kill();
    let (who, subject) = (bench.alice().await, bench.session_on_redis());
    let failed = timed(subject.strategy.issue(&who, &Device::default(), &Trace::default())).await;
    assert!(matches!(failed, Err(Failure::Store(_))), "{failed:?}");
    bench.redis.restart().await;
    assert_return(&[subject], &who).await;
}

async fn log_in_everywhere(subjects: &[Tested], who: &Subject) -> Vec<Grant> {
    let mut grants = Vec::new();
    for subject in subjects {
        grants.push(subject.log_in(who).await);
    }
    grants
}

/// All at once: what fails takes half a second each time.
async fn assert_outage(subjects: &[Tested], grants: &[Grant]) {
    let mut questions = JoinSet::new();
    for (subject, grant) in subjects.iter().zip(grants) {
        let during = During {
            name: subject.name.clone(),
            strategy: subject.strategy.clone(),
            keeps_records: subject.store.is_some(),
            presented: Presented::new(Some(grant.credential.expose_secret().to_owned())),
            identity: grant.identity.clone(),
        };
        questions.spawn(async move {
            match during.strategy.describe().needs {
                Need::Redis => during.assert_unavailable().await,
                _ => during.assert_works().await,
            }
        });
    }
    questions.join_all().await;
}

/// A strategy and a login, while a store is gone.
struct During {
    name: String,
    strategy: Arc<dyn AuthStrategy>,
    keeps_records: bool,
    presented: Presented,
    identity: Identity,
}

impl During {
    async fn assert_unavailable(&self) {
        self.wait_out_the_trust().await;
        let (name, user, trace) = (&self.name, &self.identity.subject, Trace::default());
        let found = timed(self.strategy.identify(&self.presented, &trace)).await;
        assert!(matches!(found, Err(Failure::Store(_))), "{name}: {found:?}");
        for reach in [Reach::This, Reach::Other(self.identity.login.clone()), Reach::Everywhere] {
            let ended = timed(self.strategy.revoke(&self.identity, reach, &trace)).await;
            assert!(matches!(ended, Err(Failure::Store(_))), "{name}: {ended:?}");
        }
        let issued = timed(self.strategy.issue(user, &Device::default(), &trace)).await;
        let logins = timed(self.strategy.logins(user.id, &trace)).await;
        if self.keeps_records {
            assert!(matches!(issued, Err(Failure::Store(_))), "{name}: {issued:?}");
            assert!(matches!(logins, Err(Failure::Store(_))), "{name}: {logins:?}");
        }
        let nonsense = Presented::new(Some("nonsense".to_owned()));
        let refused = timed(self.strategy.identify(&nonsense, &trace)).await;
        assert!(matches!(refused, Ok(None)), "{name}: nonsense needs no store to be refused: {refused:?}");
    }

    async fn assert_works(&self) {
        let (name, user, trace) = (&self.name, &self.identity.subject, Trace::default());
        let found = timed(self.strategy.identify(&self.presented, &trace)).await;
        assert!(matches!(found, Ok(Some(_))), "{name}: {found:?}");
        let issued = timed(self.strategy.issue(user, &Device::default(), &trace)).await;
        assert!(issued.is_ok(), "{name}: {issued:?}");
        let logins = timed(self.strategy.logins(user.id, &trace)).await;
        assert!(logins.is_ok(), "{name}: {logins:?}");
    }

    /// What was pushed to a strategy counts for a while without the channel: as long as it promised, and no longer.
    async fn wait_out_the_trust(&self) {
        let Promise::Push { bound_ms } = self.strategy.describe().promise else { return };
        let begun = Instant::now();
        while self.strategy.identify(&self.presented, &Trace::default()).await.is_ok() {
            assert!(begun.elapsed() < Duration::from_millis(bound_ms), "{}: {:?}", self.name, begun.elapsed());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn assert_return(subjects: &[Tested], who: &Subject) {
    for subject in subjects {
        let begun = Instant::now();
        until("a login works again", async || go_round(subject, who).await.is_ok()).await;
        assert!(begun.elapsed() < RETURN, "{}: back after {:?}", subject.name, begun.elapsed());
    }
}

/// Log in, come back, log out everywhere.
async fn go_round(subject: &Tested, who: &Subject) -> Result<()> {
    let (strategy, trace) = (&subject.strategy, Trace::default());
    let grant = strategy.issue(who, &Device::default(), &trace).await?;
    let presented = Presented::new(Some(grant.credential.expose_secret().to_owned()));
    let found = strategy.identify(&presented, &trace).await?;
    assert_eq!(found.as_ref(), Some(&grant.identity), "{}", subject.name);
    strategy.revoke(&grant.identity, Reach::Everywhere, &trace).await?;
    let listed = strategy.logins(who.id, &trace).await?;
    assert!(listed.is_none_or(|logins| logins.is_empty()), "{}", subject.name);
    Ok(())
}

async fn timed<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    let begun = Instant::now();
    let answer = call.await;
    assert!(begun.elapsed() < BOUND, "answered after {:?}", begun.elapsed());
    answer
}
