//! Open logins, and the check that every iteration makes of the answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jwt_vs_session::auth::{AuthStrategy, Credentials, Grant, Identity, Promise, Result};
use jwt_vs_session::identity::{Device, LoginId, Subject, UserId};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;

/// A credential, and who it must be found to belong to.
pub struct Opened {
    pub credentials: Credentials,
    pub identity: Identity,
}

impl Opened {
    pub fn new(grant: Grant) -> Self {
        let renewal = grant.renewal.map(|renewal| renewal.credential.expose_secret().to_owned());
        let credential = grant.credential.expose_secret().to_owned();
        Self { credentials: Credentials::new(Some(credential)).with_renewal(renewal), identity: grant.identity }
    }

    /// The credential as text.
    pub fn credential(&self) -> &str {
        self.credentials.credential().expect("a credential")
    }

    pub fn login(&self) -> &LoginId {
        &self.identity.login
    }

    pub fn user(&self) -> UserId {
        self.identity.subject.id
    }

    /// Stops the bench unless the answer says exactly this login.
    #[inline]
    pub fn must_be(&self, answer: &Result<Option<Identity>>) {
        match answer {
            Ok(Some(who)) if who.login == *self.login() && who.subject.id == self.user() => {}
            _ => self.wrong(answer),
        }
    }

    #[cold]
    #[inline(never)]
    fn wrong(&self, answer: &Result<Option<Identity>>) -> ! {
        panic!("the login {} was to be accepted, and the answer was {answer:?}", self.login())
    }
}

/// Where every login of a bench comes from.
pub fn device() -> Device {
    Device { label: "Firefox on Linux".into(), address: "192.0.2.17".into() }
}

/// One login for each subject.
pub async fn open(strategy: &Arc<dyn AuthStrategy>, subjects: &[Subject]) -> Vec<Opened> {
    let mut opened = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let grant = strategy.issue(subject, &device(), &Trace::off()).await.expect("a login is opened");
        opened.push(Opened::new(grant));
    }
    opened
}

/// Puts them into an order that is the same in every run: Fisher and Yates' shuffle, fed by xorshift.
pub fn shuffle<T>(items: &mut [T]) {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for last in (1..items.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let other = state % (last as u64 + 1);
        items.swap(last, usize::try_from(other).expect("below the length"));
    }
}

/// Asks for each login until the node knows it as well as it will: caches filled, channels awake.
pub async fn warm(strategy: &Arc<dyn AuthStrategy>, logins: &[Opened]) {
    let begun = Instant::now();
    // With a million entries a node needs some seconds to read them, and says until then that it cannot answer.
    while !is_ready(strategy, &logins[0]).await {
        assert!(begun.elapsed() < Duration::from_mins(1), "the node does not become ready");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for login in logins {
        login.must_be(&strategy.identify(&login.credentials, &Trace::off()).await);
    }
}

async fn is_ready(strategy: &Arc<dyn AuthStrategy>, login: &Opened) -> bool {
    let pushed = matches!(strategy.describe().promise, Promise::Push { .. });
    match strategy.identify(&login.credentials, &Trace::off()).await {
        Err(_) => false,
        Ok(_) => !pushed || from_memory(strategy, login).await,
    }
}

/// Asks for a login, and says whether this process knew the answer by itself.
pub async fn from_memory(strategy: &Arc<dyn AuthStrategy>, login: &Opened) -> bool {
    let trace = Trace::on();
    login.must_be(&strategy.identify(&login.credentials, &trace).await);
    trace.server_timing().is_some_and(|steps| steps.contains("memory;"))
}
