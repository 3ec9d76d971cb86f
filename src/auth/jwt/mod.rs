//! Signed tokens: the browser keeps everything, the server keeps a key.

mod keys;
mod token;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

pub use self::keys::{Keys, KeysError, SigningAlgorithm};
use self::token::{Claims, Refusal, TokenCheck};
use super::{
    AuthStrategy, Carrier, Description, Device, Effect, Failure, Grant, Identity, Login, LoginId, Need, Presented,
    Promise, Reach, Result, Subject, UserId,
};
use crate::clock::Clock;
use crate::trace::{Held, StepKind, Trace};

/// A signed token in a cookie or a bearer header; nothing on the server.
pub struct JwtStrategy {
    description: Description,
    keys: Arc<Keys>,
    check: TokenCheck,
    life: Duration,
    clock: Clock,
}

impl JwtStrategy {
    /// Tokens that live for `life`.
    pub fn new(keys: Arc<Keys>, life: Duration, clock: Clock) -> Self {
        let description = describe(life);
        let check = TokenCheck::new(keys.clone(), description.slug, life);
        Self { description, keys, check, life, clock }
    }

    fn identity(claims: Claims) -> Option<Identity> {
        Some(Identity {
            subject: Subject { id: claims.sub, name: claims.name, role: claims.role },
            login: LoginId::parse(&claims.jti)?,
            issued_at: claims.iat.0,
            expires_at: claims.exp.0,
        })
    }

    fn exhibit(&self, trace: &Trace, token: &str) {
        trace.browser_holds(|| Held {
            title: "A signed token that anybody can read".into(),
            text: token::readable(token),
            bytes: token.len(),
        });
        trace.server_holds(|| Held {
            title: "Nothing of this login".into(),
            text: format!("one key for all tokens: {} with kid {}", self.keys.algorithm(), self.keys.kid()),
            bytes: 0,
        });
    }
}

#[async_trait]
impl AuthStrategy for JwtStrategy {
    fn describe(&self) -> &Description {
        &self.description
    }

    async fn issue(&self, subject: &Subject, _device: &Device, trace: &Trace) -> Result<Grant> {
        let claims = Claims::new(subject, self.description.slug, self.clock.now(), self.life);
        let timer = trace.timer();
        let signed = self.keys.sign(&claims).map_err(Failure::Signing);
        trace.step(StepKind::Crypto, timer, || format!("token signed with {}", self.keys.algorithm()));
        let token = signed?;
        Ok(Grant {
            identity: Identity {
                subject: subject.clone(),
                login: LoginId::parse(&claims.jti).unwrap_or_else(LoginId::random),
                issued_at: claims.iat.0,
                expires_at: claims.exp.0,
            },
            credential: SecretString::from(token),
            max_age: self.life,
        })
    }

    async fn identify(&self, presented: &Presented, trace: &Trace) -> Result<Option<Identity>> {
        let Some(token) = presented.credential() else { return Ok(None) };
        let timer = trace.timer();
        let checked = self.check.accept(token, self.clock.now());
        trace.step(StepKind::Crypto, timer, || {
            format!("token checked: form, {} signature, claims", self.keys.algorithm())
        });
        let identity = checked.and_then(|claims| Self::identity(claims).ok_or(Refusal::Malformed));
        if let Err(refusal) = &identity {
            trace.refused(refusal.to_string());
        }
        self.exhibit(trace, token);
        Ok(identity.ok())
    }

    /// There is nothing to delete: every token of the user is accepted until it expires by itself.
    async fn revoke(&self, who: &Identity, reach: Reach, _trace: &Trace) -> Result<Effect> {
        Ok(Effect::At(match reach {
            Reach::This => who.expires_at,
            // The latest that any token issued until now can last.
            Reach::Other(_) | Reach::Everywhere => self.clock.now() + self.life,
        }))
    }

    async fn logins(&self, _user: UserId, _trace: &Trace) -> Result<Option<Vec<Login>>> {
        Ok(None)
    }
}

fn describe(life: Duration) -> Description {
    Description {
        slug: "jwt",
        label: "JWT in a cookie",
        summary: "A signed token in a cookie says who you are; the server keeps nothing and asks nobody.",
        revocation: format!(
            "At exp: a token is accepted until it expires by itself, at most {} after the login.",
            humantime::format_duration(life)
        ),
        promise: Promise::Expiry { bound_ms: u64::try_from(life.as_millis()).unwrap_or(u64::MAX) },
        needs: Need::Nothing,
        store: "nothing",
        carrier: Carrier { cookie: "access_token_cookie", bearer: true },
        browser_holds: "The whole login: who you are and until when, signed, readable by anybody who has it.",
        server_holds: "Nothing about you: only the key that checks every signature.",
        notice: None,
        unknown_logins: Some(
            "Nobody can know. A token is written down nowhere but in the browser that holds it: the server checks a \
             signature and forgets. It has no list of logins to show, and none to strike out.",
        ),
        logout: "Takes the cookie away from this browser. A copy of the token is still accepted until it expires.",
        logout_everywhere: "Takes the cookie away from this browser. It can do nothing about the others: every token \
             of yours is accepted until it expires.",
        password_change: "Other tokens of yours cannot be called back: each is accepted until it expires.",
    }
}
