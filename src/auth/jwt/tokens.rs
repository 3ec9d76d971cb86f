//! What every strategy with signed tokens has in common: to open a login is to sign a token, to authenticate a request is
//! to check one.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::Keys;
use super::check::{Checked, TokenCheck};
use super::claims::{Claims, readable};
use crate::auth::{Credentials, Failure, Grant, Identity, Result};
use crate::clock::{Clock, Timestamp};
use crate::identity::{LoginId, Subject};
use crate::trace::{HeldData, StepKind, Trace};

/// Keep a revocation this long past its token's expiry: another node's clock may be behind this one's.
pub(super) const CLOCK_MARGIN: Duration = Duration::from_mins(1);

/// Signs and checks the tokens of one mount.
pub(super) struct Tokens {
    keys: Arc<Keys>,
    audience: &'static str,
    check: TokenCheck,
    life: Duration,
    clock: Clock,
}

impl Tokens {
    /// Tokens live for `life`, and only the mount `audience` accepts them.
    pub fn new(keys: Arc<Keys>, audience: &'static str, life: Duration, clock: Clock) -> Self {
        let check = TokenCheck::new(keys.clone(), audience, life);
        Self { keys, audience, check, life, clock }
    }

    /// Signs a token that is a login of its own.
    pub fn issue(&self, subject: &Subject, generation: Option<i64>, trace: &Trace) -> Result<Grant> {
        let login = LoginId::random();
        let claims = Claims { generation, ..Claims::new(subject, &login, self.audience, self.clock.now(), self.life) };
        self.sign(subject, &login, &claims, trace)
    }

    /// Signs one of the many tokens of a login that the database confirmed at `now`.
    pub fn issue_in(&self, subject: &Subject, login: &LoginId, now: Timestamp, trace: &Trace) -> Result<Grant> {
        let token = LoginId::random();
        let claims = Claims { sid: Some(login.clone()), ..Claims::new(subject, &token, self.audience, now, self.life) };
        self.sign(subject, login, &claims, trace)
    }

    fn sign(&self, subject: &Subject, login: &LoginId, claims: &Claims<'_>, trace: &Trace) -> Result<Grant> {
        let timer = trace.timer();
        let signed = self.keys.sign(claims).map_err(Failure::Signing);
        trace.step(StepKind::Crypto, timer, || format!("token signed with {}", self.keys.algorithm()));
        let token = signed?;
        exhibit(&token, trace);
        let credential = SecretString::from(token);
        let (issued_at, expires_at) = (claims.iat.0, claims.exp.0);
        let identity = Identity { subject: subject.clone(), login: login.clone(), issued_at, expires_at };
        Ok(Grant { identity, credential, max_age: self.life, renewal: None })
    }

    /// Checks form, signature and claims. The trace holds the reason of a refusal.
    pub fn check(&self, credentials: &Credentials, trace: &Trace) -> Option<Checked> {
        let token = credentials.credential()?;
        let timer = trace.timer();
        let checked = self.check.accept(token, self.clock.now());
        trace.step(StepKind::Crypto, timer, || {
            format!("token checked: form, {} signature, claims", self.keys.algorithm())
        });
        exhibit(token, trace);
        checked.map_err(|refusal| trace.refused(refusal.to_string())).ok()
    }

    /// The generation of a token that replaces this one.
    pub fn next_generation(&self, credentials: &Credentials, trace: &Trace) -> Option<i64> {
        Some(self.check(credentials, trace)?.generation? + 1)
    }

    /// Notes what the server holds of a token: the key behind all of them.
    pub fn exhibit_key(&self, trace: &Trace) {
        trace.server_holds(|| {
            let keys = self.keys.clone();
            move || HeldData { title: "Nothing of this login".into(), text: keys.summary(), bytes: Some(0) }
        });
    }

    /// The latest moment at which a token issued until now expires.
    pub fn last_expiry(&self) -> Timestamp {
        self.clock.now() + self.life
    }
}

fn exhibit(token: &str, trace: &Trace) {
    trace.browser_holds(|| {
        let token = token.to_owned();
        move || HeldData {
            title: "A signed token that anybody can read".into(),
            text: readable(&token),
            bytes: Some(token.len()),
        }
    });
}
