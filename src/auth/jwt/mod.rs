//! Signed tokens: the browser keeps everything, the server keeps a key.

mod check;
mod claims;
mod keys;
#[cfg(test)]
mod oracle;
mod tokens;
mod verifier;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::keys::{Keys, KeysError, SigningAlgorithm};
pub(super) use self::tokens::{KEPT_LONGER, Tokens};
use super::description::millis;
use super::{
    AuthStrategy, Carrier, Description, Device, Effect, Grant, Identity, Login, Need, Presented, Promise, Reach,
    Result, Subject, UserId,
};
use crate::clock::Clock;
use crate::trace::Trace;

/// A signed token in a cookie or a bearer header; nothing on the server.
pub struct JwtStrategy {
    description: Description,
    tokens: Tokens,
}

impl JwtStrategy {
    /// Tokens that live for `life`.
    pub fn new(keys: Arc<Keys>, life: Duration, clock: Clock) -> Self {
        let description = describe_plain(&keys, life);
        let tokens = Tokens::new(keys, description.slug, life, clock);
        Self { description, tokens }
    }
}

#[async_trait]
impl AuthStrategy for JwtStrategy {
    fn describe(&self) -> &Description {
        &self.description
    }

    async fn issue(&self, subject: &Subject, _device: &Device, trace: &Trace) -> Result<Grant> {
        self.tokens.issue(subject, None, trace)
    }

    async fn identify(&self, presented: &Presented, trace: &Trace) -> Result<Option<Identity>> {
        let checked = self.tokens.check(presented, trace);
        self.tokens.exhibit_key(trace);
        Ok(checked.map(|checked| checked.identity))
    }

    /// There is nothing to delete: every token of the user is accepted until it expires by itself.
    async fn revoke(&self, who: &Identity, reach: Reach, _trace: &Trace) -> Result<Effect> {
        Ok(Effect::At(match reach {
            Reach::This => who.expires_at,
            Reach::Other(_) | Reach::Everywhere => self.tokens.last_end(),
        }))
    }

    async fn logins(&self, _user: UserId, _trace: &Trace) -> Result<Option<Vec<Login>>> {
        Ok(None)
    }
}

fn describe_plain(keys: &Keys, life: Duration) -> Description {
    Description {
        label: "JWT in a cookie",
        summary: "A signed token in a cookie says who you are; the server keeps nothing and asks nobody.",
        revocation: format!(
            "When the token expires by itself: at most {} after the login.",
            humantime::format_duration(life)
        ),
        promise: Promise::Expiry { bound_ms: millis(life) },
        store: "nothing",
        server_holds: "Nothing about you: only the key that checks every signature.",
        unknown_logins: Some(
            "Nobody can know. A token is written down nowhere but in the browser that holds it: the server checks a \
             signature and forgets. It has no list of logins to show, and none to strike out.",
        ),
        logout: "Takes the cookie away from this browser. A copy of the token is still accepted until it expires.",
        logout_everywhere: "Takes the cookie away from this browser. It can do nothing about the others: every token \
             of yours is accepted until it expires.",
        password_change: "Other tokens of yours cannot be called back: each is accepted until it expires.",
        gives_up: "Nothing ends a login before its token expires: no log out, no new password.",
        ..describe("jwt", keys)
    }
}

/// What the strategies with signed tokens have in common.
pub(super) fn describe(slug: &'static str, keys: &Keys) -> Description {
    Description {
        slug,
        label: "",
        summary: "",
        revocation: String::new(),
        promise: Promise::Immediate,
        needs: Need::Nothing,
        store: "",
        shared: true,
        signed_with: Some(keys.algorithm().name()),
        upkeep: None,
        copies: None,
        carrier: Carrier { cookie: "access_token_cookie", renewal: None, bearer: true },
        browser_holds: "The whole login: who you are and until when, signed, readable by anybody who has it.",
        server_holds: "",
        notice: None,
        ends_single: false,
        unknown_logins: None,
        logout: "",
        logout_everywhere: "",
        password_change: "",
        gives_up: "",
    }
}
