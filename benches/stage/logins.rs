//! Open logins, and the assertion that each iteration makes about the outcome.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jwt_vs_session::auth::{AuthStrategy, Credentials, Grant, Identity, Promise, Result};
use jwt_vs_session::identity::{Device, LoginId, Subject, UserId};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;

/// Credentials and the identity that they belong to.
pub struct OpenLogin {
    pub credentials: Credentials,
    pub identity: Identity,
}

impl OpenLogin {
    pub fn new(grant: Grant) -> Self {
        let renewal = grant.renewal.map(|renewal| renewal.credential.expose_secret().to_owned());
        let credential = grant.credential.expose_secret().to_owned();
        Self { credentials: Credentials::new(Some(credential)).with_renewal(renewal), identity: grant.identity }
    }

    pub fn credential(&self) -> &str {
        self.credentials.credential().expect("a credential")
    }

    pub fn login(&self) -> &LoginId {
        &self.identity.login
    }

    pub fn user(&self) -> UserId {
        self.identity.subject.id
    }

    /// Panics unless the outcome is exactly this login.
    #[inline]
    pub fn must_be(&self, outcome: &Result<Option<Identity>>) {
        match outcome {
            Ok(Some(who)) if who.login == *self.login() && who.subject.id == self.user() => {}
            _ => self.wrong(outcome),
        }
    }

    #[cold]
    #[inline(never)]
    fn wrong(&self, outcome: &Result<Option<Identity>>) -> ! {
        panic!("the login {} must be accepted, but the outcome was {outcome:?}", self.login())
    }
}

/// The device of every login of a bench.
pub fn device() -> Device {
    Device { label: "Firefox on Linux".into(), address: "192.0.2.17".into() }
}

/// Opens one login for each subject.
pub async fn open(strategy: &Arc<dyn AuthStrategy>, subjects: &[Subject]) -> Vec<OpenLogin> {
    let mut opened = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let grant = strategy.issue(subject, &device(), &Trace::off()).await.expect("a login is opened");
        opened.push(OpenLogin::new(grant));
    }
    opened
}

/// Puts the logins into a random order that is the same in every run.
pub fn shuffle(logins: &mut [OpenLogin]) {
    fastrand::Rng::with_seed(1).shuffle(logins);
}

/// Checks each login once, so that caches are filled and channels connected.
pub async fn warm(strategy: &Arc<dyn AuthStrategy>, logins: &[OpenLogin]) {
    let begun = Instant::now();
    // A node needs some seconds to read a million revocations, and is unavailable until then.
    while !is_ready(strategy, &logins[0]).await {
        assert!(begun.elapsed() < Duration::from_mins(1), "the node does not become ready");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for login in logins {
        login.must_be(&strategy.identify(&login.credentials, &Trace::off()).await);
    }
}

async fn is_ready(strategy: &Arc<dyn AuthStrategy>, login: &OpenLogin) -> bool {
    let is_pushed = matches!(strategy.describe().promise, Promise::Push { .. });
    match strategy.identify(&login.credentials, &Trace::off()).await {
        Err(_) => false,
        Ok(_) => !is_pushed || from_memory(strategy, login).await,
    }
}

/// Checks a login and returns whether the node answered from its own memory.
pub async fn from_memory(strategy: &Arc<dyn AuthStrategy>, login: &OpenLogin) -> bool {
    let trace = Trace::on();
    login.must_be(&strategy.identify(&login.credentials, &trace).await);
    trace.server_timing().is_some_and(|steps| steps.contains("memory;"))
}
