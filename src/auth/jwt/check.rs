//! Every rule by which the server accepts or refuses a token: the signature, the claims, `exp` compared with the clock.
//!
//! The library (jsonwebtoken) would parse header and claims twice, and build its key again for each token. Here the key is
//! prepared once, the header that this server writes is compared as text, and the claims are parsed once.
//! [`super::oracle`] tests that both accept the same of many valid, forged and malformed tokens.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::memchr;
use serde::Deserialize;

use super::Keys;
use super::claims::{Claims, ISSUER, TYPE};
use super::token_key::TokenKey;
use crate::auth::Identity;
use crate::clock::Timestamp;
use crate::identity::{LoginId, Subject};

/// Browsers keep cookies of 4,096 bytes, and need not keep larger ones (RFC 6265, 6.1). The server issues no longer token.
const MAX_BYTES: usize = 4096;

/// How far another node's clock may be ahead of this one's. It only bears on `iat`: `exp` has no leeway.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// Bytes on the stack for a decoded signature. Only RS256 has longer ones.
const SIGNATURE_ROOM: usize = 66;

/// Bytes on the stack for decoded claims. Most are shorter.
const CLAIMS_ROOM: usize = 384;

/// Why the server refuses a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("this is not a token of this server: its form is wrong")]
    Malformed,
    #[error("the header is not one of this server (another algorithm, type or key, or crit)")]
    Header,
    #[error("the signature does not match")]
    Signature,
    #[error("a claim is missing or wrong (issuer, audience, subject, times)")]
    Claims,
    #[error("the token was issued in the future")]
    NotYet,
    #[error("the token has expired")]
    Expired,
    #[error("the token is older than this server lets any token become")]
    TooOld,
}

/// The only header that the server accepts. It refuses unknown members, `crit` and `b64` among them (RFC 7515, 4.1.11).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenHeader {
    typ: String,
    alg: String,
    kid: String,
}

/// A token with a valid signature and valid claims. The strategy checks whether it was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    pub identity: Identity,
    /// The user's generation when the token was issued, for strategies that compare it.
    pub generation: Option<i64>,
}

/// Checks tokens of one mount.
pub(super) struct TokenCheck {
    keys: Arc<Keys>,
    audience: &'static str,
    life: Duration,
}

impl TokenCheck {
    pub fn new(keys: Arc<Keys>, audience: &'static str, life: Duration) -> Self {
        Self { keys, audience, life }
    }

    /// Finds out which login a token belongs to, or why the server refuses it at `now`.
    pub fn accept(&self, token: &str, now: Timestamp) -> Result<Checked, Refusal> {
        if token.len() > MAX_BYTES {
            return Err(Refusal::Malformed);
        }
        // From the front to the end: the way in which the processor fetches memory.
        let (key, rest) = self.check_header(token)?;
        let dot = memchr(b'.', rest.as_bytes()).ok_or(Refusal::Malformed)?;
        let (payload, signature) = (&rest[..dot], &rest[dot + 1..]);
        let message = &token[..token.len() - signature.len() - 1];
        let is_signed = decoded::<SIGNATURE_ROOM, _>(signature, |bytes| key.verify(message.as_bytes(), bytes));
        if !is_signed? {
            return Err(Refusal::Signature);
        }
        decoded::<CLAIMS_ROOM, _>(payload, |text| self.check_claims(text, now))?
    }

    fn check_claims(&self, text: &[u8], now: Timestamp) -> Result<Checked, Refusal> {
        // Checked once as a whole, and not for each string in it.
        let text = std::str::from_utf8(text).map_err(|_| Refusal::Claims)?;
        if !is_object(text.as_bytes()) {
            return Err(Refusal::Claims);
        }
        let claims: Claims<'_> = serde_json::from_str(text).map_err(|_| Refusal::Claims)?;
        if claims.iss != ISSUER || claims.aud != self.audience {
            return Err(Refusal::Claims);
        }
        check_times(&claims, now, self.life)?;
        checked(claims)
    }

    /// Finds the key that a header names, if this server may have written that header, and returns the rest of the token.
    fn check_header<'a>(&self, token: &'a str) -> Result<(&TokenKey, &'a str), Refusal> {
        let rest = |key: &TokenKey| token.strip_prefix(key.header()).and_then(|rest| rest.strip_prefix('.'));
        if let Some(found) = self.keys.all().find_map(|key| Some((key, rest(key)?))) {
            return Ok(found);
        }
        // Another program with the same key may write the same members in another way.
        let (header, rest) = token.split_once('.').ok_or(Refusal::Malformed)?;
        let text = URL_SAFE_NO_PAD.decode(header).map_err(|_| Refusal::Malformed)?;
        if !is_object(&text) {
            return Err(Refusal::Header);
        }
        let header: TokenHeader = serde_json::from_slice(&text).map_err(|_| Refusal::Header)?;
        // The key is the one that the header names: never each in turn until one fits.
        let key = self.keys.all().find(|key| key.kid() == header.kid).ok_or(Refusal::Header)?;
        let is_ours = header.typ == TYPE && header.alg == key.algorithm().name();
        if is_ours { Ok((key, rest)) } else { Err(Refusal::Header) }
    }
}

/// Decodes base64url, on the stack up to `N` bytes and on the heap beyond, and hands the bytes to `take`.
fn decoded<const N: usize, T>(text: &str, take: impl FnOnce(&[u8]) -> T) -> Result<T, Refusal> {
    if base64::decoded_len_estimate(text.len()) > N {
        return URL_SAFE_NO_PAD.decode(text).map(|bytes| take(&bytes)).map_err(|_| Refusal::Malformed);
    }
    let mut room = [0; N];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut room).map_err(|_| Refusal::Malformed)?;
    Ok(take(&room[..length]))
}

/// Header and claims are JSON objects (RFC 7515, 5.2; RFC 7519, 7.2). serde would take an array of the values as well.
fn is_object(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{")
}

/// Checks the times by our clock, to the millisecond and without leeway: at `exp` a token has expired (RFC 7519, 4.1.4).
pub(super) fn check_times(claims: &Claims<'_>, now: Timestamp, life: Duration) -> Result<(), Refusal> {
    if claims.iat.0 > now + CLOCK_SKEW || claims.nbf.is_some_and(|nbf| nbf.0 > now) {
        return Err(Refusal::NotYet);
    }
    if now >= claims.exp.0 {
        return Err(Refusal::Expired);
    }
    // Whatever exp says: an operator may have shortened the life since, or another program may sign longer ones.
    if now >= claims.iat.0 + life {
        return Err(Refusal::TooOld);
    }
    Ok(())
}

/// Turns claims into the login that they name.
pub(super) fn checked(claims: Claims<'_>) -> Result<Checked, Refusal> {
    let named = claims.sid.as_ref().map_or(&*claims.jti, LoginId::as_str);
    let login = LoginId::parse(named).ok_or(Refusal::Malformed)?;
    let subject = Subject { id: claims.sub, name: claims.name.into(), role: claims.role };
    let identity = Identity { subject, login, issued_at: claims.iat.0, expires_at: claims.exp.0 };
    Ok(Checked { identity, generation: claims.generation })
}
