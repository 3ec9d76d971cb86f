//! What every strategy with signed tokens has in common: to open a login is to sign, to identify is to check.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::Keys;
use super::check::{Checked, TokenCheck};
use super::claims::{Claims, readable};
use crate::auth::{Failure, Grant, Identity, LoginId, Presented, Result, Subject};
use crate::clock::{Clock, Timestamp};
use crate::trace::{Held, StepKind, Trace};

/// How much longer than a token what is known against it is kept: another node's clock may be behind this one's.
pub(in crate::auth) const KEPT_LONGER: Duration = Duration::from_mins(1);

/// Signs and checks the tokens of one mount.
pub(in crate::auth) struct Tokens {
    keys: Arc<Keys>,
    audience: &'static str,
    check: TokenCheck,
    life: Duration,
    clock: Clock,
}

impl Tokens {
    /// Tokens that live for `life` and are good under the mount `audience` only.
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

    /// Signs a token that is one of many of a login, which was alive at `now`.
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

    /// Checks form, signature and claims; the reason of a refusal goes to the trace.
    pub fn check(&self, presented: &Presented, trace: &Trace) -> Option<Checked> {
        let token = presented.credential()?;
        let timer = trace.timer();
        let checked = self.check.accept(token, self.clock.now());
        trace.step(StepKind::Crypto, timer, || {
            format!("token checked: form, {} signature, claims", self.keys.algorithm())
        });
        exhibit(token, trace);
        checked.map_err(|refusal| trace.refused(refusal.to_string())).ok()
    }

    /// What the server holds of a token: the key behind all of them.
    pub fn exhibit_key(&self, trace: &Trace) {
        trace.server_holds(|| {
            let keys = self.keys.clone();
            move || Held {
                title: "Nothing of this login".into(),
                text: format!("one key for all tokens: {} with kid {}", keys.algorithm(), keys.kid()),
                bytes: Some(0),
            }
        });
    }

    /// The latest that a token issued until now can last.
    pub fn last_end(&self) -> Timestamp {
        self.clock.now() + self.life
    }
}

fn exhibit(token: &str, trace: &Trace) {
    trace.browser_holds(|| {
        let token = token.to_owned();
        move || Held {
            title: "A signed token that anybody can read".into(),
            text: readable(&token),
            bytes: Some(token.len()),
        }
    });
}
