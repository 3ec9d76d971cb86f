//! `sealed-cookie`: the whole login in a cookie, encrypted and authenticated, and nothing on the server.

use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use serde::{Deserialize, Serialize};

use crate::auth::{
    AuthStrategy, Backend, CredentialKind, Credentials, Description, Effect, Failure, Grant, Identity, Keys, Login,
    Promise, Result, RevokeScope, Texts, Transport,
};
use crate::clock::{Clock, Timestamp};
use crate::identity::{Device, LoginId, Role, Subject, UserId};
use crate::trace::{HeldData, StepKind, Trace, mask};

const SLUG: &str = "sealed-cookie";

/// Browsers keep cookies of 4,096 bytes, and need not keep larger ones (RFC 6265, 6.1).
const MAX_BYTES: usize = 4096;

/// What the cookie holds: a nonce, then this as JSON, encrypted.
#[derive(Serialize, Deserialize)]
struct SealedLogin {
    login: LoginId,
    user: UserId,
    name: String,
    role: Role,
    issued: Timestamp,
}

/// Keeps a login in an encrypted cookie alone.
pub struct SealedCookieStrategy {
    description: Description,
    /// The first seals, all open: to replace a key ends no login.
    secrets: Vec<[u8; 32]>,
    life: Duration,
    clock: Clock,
}

impl SealedCookieStrategy {
    /// Logins live for `life`. Every node with these keys accepts them.
    pub fn new(keys: &Keys, life: Duration, clock: Clock) -> Self {
        Self { description: describe(life), secrets: keys.derive_secrets(SLUG), life, clock }
    }

    /// AES-256-GCM under a random nonce. One key is safe for 2^32 logins (NIST SP 800-38D, 8.3).
    fn seal(&self, login: &SealedLogin) -> std::result::Result<String, Unspecified> {
        let mut text = serde_json::to_vec(login).map_err(|_| Unspecified)?;
        let secret = self.secrets.first().ok_or(Unspecified)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, secret)?;
        let nonce = key.seal_in_place_append_tag(Aad::from(SLUG), &mut text)?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce.as_ref()[..], &text].concat()))
    }

    /// `None`: no node with this key sealed the cookie.
    fn open(&self, cookie: &str) -> Option<SealedLogin> {
        if cookie.len() > MAX_BYTES {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        self.secrets.iter().find_map(|secret| unseal(secret, sealed.clone()))
    }

    /// Notes what both sides hold: the profile page shows it.
    fn exhibit(&self, cookie: &str, trace: &Trace) {
        trace.browser_holds(|| {
            let (text, bytes) = (mask(cookie), Some(cookie.len()));
            move || HeldData { title: "A login that only the server can read".into(), text: text.clone(), bytes }
        });
        trace.server_holds(|| {
            let text = self.description.texts.server_holds.to_owned();
            move || HeldData { title: "Nothing of this login".into(), text: text.clone(), bytes: Some(0) }
        });
    }

    fn identity(&self, login: SealedLogin) -> Identity {
        let subject = Subject { id: login.user, name: login.name.into(), role: login.role };
        let (issued_at, expires_at) = (login.issued, login.issued + self.life);
        Identity { subject, login: login.login, issued_at, expires_at }
    }
}

fn unseal(secret: &[u8; 32], mut sealed: Vec<u8>) -> Option<SealedLogin> {
    let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let key = RandomizedNonceKey::new(&AES_256_GCM, secret).ok()?;
    let text = key.open_in_place(nonce, Aad::from(SLUG), text).ok()?;
    serde_json::from_slice(text).ok()
}

#[async_trait]
impl AuthStrategy for SealedCookieStrategy {
    fn describe(&self) -> &Description {
        &self.description
    }

    async fn issue(&self, subject: &Subject, _device: &Device, trace: &Trace) -> Result<Grant> {
        let login = SealedLogin {
            login: LoginId::random(),
            user: subject.id,
            name: subject.name.to_string(),
            role: subject.role,
            issued: self.clock.now(),
        };
        let timer = trace.timer();
        let sealed = self.seal(&login);
        trace.step(StepKind::Crypto, timer, || "cookie sealed with AES-256-GCM");
        let credential = sealed.map_err(|error| Failure::Signing(ErrorKind::Signing(error.to_string()).into()))?;
        Ok(Grant { identity: self.identity(login), credential: credential.into(), max_age: self.life, renewal: None })
    }

    async fn identify(&self, credentials: &Credentials, trace: &Trace) -> Result<Option<Identity>> {
        let Some(cookie) = credentials.credential() else { return Ok(None) };
        let timer = trace.timer();
        let opened = self.open(cookie);
        trace.step(StepKind::Crypto, timer, || "cookie opened with AES-256-GCM");
        let Some(login) = opened else {
            trace.refused("no node with this key sealed the cookie");
            return Ok(None);
        };
        let identity = self.identity(login);
        if self.clock.now() >= identity.expires_at {
            trace.refused("the login has expired");
            return Ok(None);
        }
        self.exhibit(cookie, trace);
        Ok(Some(identity))
    }

    /// The server has nothing to delete: every node accepts the user's cookies until they expire.
    async fn revoke(&self, who: &Identity, scope: RevokeScope, _trace: &Trace) -> Result<Effect> {
        Ok(Effect::At(match scope {
            RevokeScope::This => who.expires_at,
            RevokeScope::Other(_) | RevokeScope::Everywhere => self.clock.now() + self.life,
        }))
    }

    async fn logins(&self, _user: UserId, _trace: &Trace) -> Result<Option<Vec<Login>>> {
        Ok(None)
    }
}

fn describe(life: Duration) -> Description {
    let bound_ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
    Description {
        slug: SLUG,
        kind: CredentialKind::Token,
        promise: Promise::Expiry { bound_ms },
        backend: Backend::None,
        shared: true,
        signed_with: None,
        upkeep: None,
        max_copies: None,
        transport: Transport { cookie: "sealed_login", refresh_cookie: None, bearer: false },
        revokes_single: false,
        lists_logins: false,
        texts: Texts {
            label: "Sealed cookie",
            summary: "An encrypted cookie says who you are. The server stores nothing and reads no store.",
            revocation: format!(
                "When the cookie expires: at most {} after the login.",
                humantime::format_duration(life)
            ),
            store: "nothing",
            browser_holds: "The whole login, encrypted: only the server can read or change it.",
            server_holds: "Nothing about you: only the key that opens every cookie.",
            notice: None,
            devices: "The server keeps no record of the cookie. So it has no list of logins, and cannot revoke one.",
            logout: "Removes the cookie from this browser. The server accepts a copy of it until it expires.",
            logout_everywhere: "Removes the cookie from this browser only. The server accepts every other until it expires.",
            password_change: "The server cannot revoke your other cookies: it accepts each until it expires.",
            gives_up: "Nothing revokes a login before its cookie expires: no log out, no new password.",
        },
    }
}
