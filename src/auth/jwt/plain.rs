//! `jwt`: a signed token, and nothing on the server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::tokens::Tokens;
use super::{BROWSER_HOLDS, Keys, TRANSPORT};
use crate::auth::{
    AuthStrategy, Backend, CredentialKind, Credentials, Description, Effect, Grant, Identity, Promise, Result,
    RevokeScope, Texts,
};
use crate::clock::{Clock, whole_millis};
use crate::identity::{Device, Subject};
use crate::trace::Trace;

/// Keeps a login in a signed token alone.
pub struct JwtStrategy {
    description: Description,
    tokens: Tokens,
}

impl JwtStrategy {
    /// Issues tokens that live for `life`.
    pub fn new(keys: Arc<Keys>, life: Duration, clock: Clock) -> Self {
        let description = describe(&keys, life);
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

    async fn identify(&self, credentials: &Credentials, trace: &Trace) -> Result<Option<Identity>> {
        let checked = self.tokens.check(credentials, trace);
        self.tokens.exhibit_key(trace);
        Ok(checked.map(|checked| checked.identity))
    }

    /// The server has nothing to delete: every node accepts the user's tokens until they expire.
    async fn revoke(&self, who: &Identity, scope: RevokeScope, _trace: &Trace) -> Result<Effect> {
        Ok(Effect::At(match scope {
            RevokeScope::This => who.expires_at,
            RevokeScope::Other(_) | RevokeScope::Everywhere => self.tokens.last_expiry(),
        }))
    }
}

fn describe(keys: &Keys, life: Duration) -> Description {
    Description {
        slug: "jwt",
        kind: CredentialKind::Token,
        promise: Promise::Expiry { bound_ms: whole_millis(life) },
        backend: Backend::None,
        shared: true,
        signed_with: Some(keys.algorithm().name()),
        upkeep: None,
        max_copies: None,
        transport: TRANSPORT,
        revokes_single: false,
        lists_logins: false,
        texts: Texts {
            label: "JWT in a cookie",
            summary: "A signed token in a cookie says who you are. The server stores nothing and reads no store.",
            revocation: format!(
                "When the token expires: at most {} after the login.",
                humantime::format_duration(life)
            ),
            store: "nothing",
            browser_holds: BROWSER_HOLDS,
            server_holds: "Nothing about you: only the key that checks every signature.",
            notice: None,
            devices: "The server checks a signature and keeps no record of the token. So it has no list of logins, and \
                cannot revoke one.",
            logout: "Removes the cookie from this browser. The server accepts a copy of the token until it expires.",
            logout_everywhere: "Removes the cookie from this browser only. The server accepts every token of yours until \
                it expires.",
            password_change: "The server cannot revoke your other tokens: it accepts each until it expires.",
            gives_up: "Nothing revokes a login before its token expires: no log out, no new password.",
        },
    }
}
