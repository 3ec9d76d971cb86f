//! A store that is gone: what needs it fails fast and says neither yes nor no; what does not need it goes on.

use std::sync::Arc;
use std::time::Duration;

use jwt_vs_session::auth::{
    AuthStrategy, Backend, Credentials, Failure, Grant, Identity, Promise, Result, RevokeScope,
};
use jwt_vs_session::identity::{Device, Subject};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::Instant;

use super::subjects::{Bench, Tested};
use crate::common::until;

/// "While it is away `/session` answers 503 within a second."
const BOUND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn with_redis_killed_what_needs_it_fails_and_recovers_with_it() {
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
        if subject.strategy.describe().backend != Backend::Redis {
            assert!(subject.accepts(grant).await, "{}: it had nothing in Redis", subject.name);
        } else if subject.store.is_some() {
            assert!(!subject.accepts(grant).await, "{}: Redis came back empty", subject.name);
        }
    }
}

#[tokio::test]
async fn with_redis_frozen_what_needs_it_fails_and_recovers_with_it() {
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
    let failed = subject.strategy.issue(&who, &Device::default(), &Trace::default()).await;
    assert!(matches!(failed, Err(Failure::Store(_))), "{failed:?}");
    bench.redis.restart().await;
    assert_return(&[subject], &who).await;
}

/// Nothing but the answer of Redis is waited for here, so that the clock goes ahead by itself.
#[tokio::test]
async fn a_redis_that_stands_still_is_given_up_within_a_second() {
    let bench = Bench::start().await;
    let redis = bench.connect();
    until("it is connected", async || redis.ping().await.is_ok()).await;
    bench.redis.freeze();
    tokio::time::pause();
    let script = redis::Script::new("return 1");
    // Over the connection, then over a new one that is not made.
    for _ in 0..2 {
        let begun = Instant::now();
        assert!(redis.ping().await.is_err());
        assert!(begun.elapsed() < BOUND, "a command was given up after {:?}", begun.elapsed());
    }
    let begun = Instant::now();
    assert!(redis.run::<i64>(&script.prepare_invoke()).await.is_err());
    assert!(begun.elapsed() < BOUND, "a script was given up after {:?}", begun.elapsed());
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
    let questions = async {
        let mut questions = JoinSet::new();
        for (subject, grant) in subjects.iter().zip(grants) {
            questions.spawn_local(During::of(subject, grant).assert());
        }
        questions.join_all().await;
    };
    LocalSet::new().run_until(questions).await;
}

/// A strategy and a login, while a store is gone.
struct During {
    name: String,
    strategy: Arc<dyn AuthStrategy>,
    keeps_records: bool,
    credentials: Credentials,
    identity: Identity,
}

impl During {
    fn of(subject: &Tested, grant: &Grant) -> Self {
        Self {
            name: subject.name.clone(),
            strategy: subject.strategy.clone(),
            keeps_records: subject.store.is_some(),
            credentials: Credentials::new(Some(grant.credential.expose_secret().to_owned())),
            identity: grant.identity.clone(),
        }
    }

    async fn assert(self) {
        match self.strategy.describe().backend {
            Backend::Redis => self.assert_unavailable().await,
            _ => self.assert_works().await,
        }
    }

    async fn assert_unavailable(&self) {
        self.wait_out_the_trust().await;
        let (name, user, trace) = (&self.name, &self.identity.subject, Trace::default());
        let found = self.strategy.identify(&self.credentials, &trace).await;
        assert!(matches!(found, Err(Failure::Store(_))), "{name}: {found:?}");
        for scope in [RevokeScope::This, RevokeScope::Other(self.identity.login.clone()), RevokeScope::Everywhere] {
            let ended = self.strategy.revoke(&self.identity, scope, &trace).await;
            assert!(matches!(ended, Err(Failure::Store(_))), "{name}: {ended:?}");
        }
        let issued = self.strategy.issue(user, &Device::default(), &trace).await;
        let logins = self.strategy.logins(user.id, &trace).await;
        if self.keeps_records {
            assert!(matches!(issued, Err(Failure::Store(_))), "{name}: {issued:?}");
            assert!(matches!(logins, Err(Failure::Store(_))), "{name}: {logins:?}");
        }
        let nonsense = Credentials::new(Some("nonsense".to_owned()));
        let refused = self.strategy.identify(&nonsense, &trace).await;
        assert!(matches!(refused, Ok(None)), "{name}: nonsense needs no store to be refused: {refused:?}");
    }

    async fn assert_works(&self) {
        let (name, user, trace) = (&self.name, &self.identity.subject, Trace::default());
        // A disk that is busy with something else is no finding.
        until(&format!("{name} knows the login"), async || {
            let found = self.strategy.identify(&self.credentials, &trace).await;
            assert!(!matches!(found, Ok(None)), "{name}: {found:?}");
            found.is_ok()
        })
        .await;
        let issue = async || self.strategy.issue(user, &Device::default(), &trace).await.is_ok();
        until(&format!("{name} opens another"), issue).await;
        until(&format!("{name} lists both"), async || self.strategy.logins(user.id, &trace).await.is_ok()).await;
    }

    /// What was pushed to a strategy counts for a while without the channel; for how long, tests/durable.rs says.
    async fn wait_out_the_trust(&self) {
        if matches!(self.strategy.describe().promise, Promise::Push { .. }) {
            let asked = async || self.strategy.identify(&self.credentials, &Trace::default()).await.is_err();
            until(&format!("{} trusts nothing any more", self.name), asked).await;
        }
    }
}

async fn assert_return(subjects: &[Tested], who: &Subject) {
    for subject in subjects {
        until("a login works again", async || go_round(subject, who).await.is_ok()).await;
    }
}

/// Log in, come back, log out everywhere.
async fn go_round(subject: &Tested, who: &Subject) -> Result<()> {
    let (strategy, trace) = (&subject.strategy, Trace::default());
    let grant = strategy.issue(who, &Device::default(), &trace).await?;
    let credentials = Credentials::new(Some(grant.credential.expose_secret().to_owned()));
    let found = strategy.identify(&credentials, &trace).await?;
    assert_eq!(found.as_ref(), Some(&grant.identity), "{}", subject.name);
    strategy.revoke(&grant.identity, RevokeScope::Everywhere, &trace).await?;
    let listed = strategy.logins(who.id, &trace).await?;
    assert!(listed.is_none_or(|logins| logins.is_empty()), "{}", subject.name);
    Ok(())
}
