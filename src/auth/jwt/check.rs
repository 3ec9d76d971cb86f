//! Every rule by which a token is accepted or refused.
//!
//! The library (jsonwebtoken) would parse header and claims twice and build its key anew for each token; here the key is
//! prepared, the header that this server writes is compared as it stands, and the claims are parsed once. That both say
//! the same of good, forged and malformed tokens is tested in [`super::oracle`].

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::memchr;
use serde::Deserialize;

use super::Keys;
use super::claims::{Claims, ISSUER, TYPE};
use crate::auth::Identity;
use crate::clock::Timestamp;
use crate::identity::{LoginId, Subject};

/// Browsers keep cookies of 4,096 bytes, and need not keep larger ones (RFC 6265, 6.1); nothing longer is issued here.
const MAX_BYTES: usize = 4096;

/// How far another node's clock may be ahead of this one's. It only bears on `iat`: `exp` has no leeway.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// Most signatures and payloads are no longer than this when decoded, and need no memory of their own.
const SHORT: [usize; 2] = [66, 384];

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("this is not a token of this server: its form is wrong")]
    Malformed,
    #[error("the header asks for something that this server never issues (another algorithm, type or key, or crit)")]
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

/// The only header that is accepted. An unknown member is a refusal, and so are `crit` and `b64` (RFC 7515, 4.1.11).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenHeader {
    typ: String,
    alg: String,
    kid: String,
}

/// A token that is good by itself. Whether it was revoked is for the strategy to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    /// Whose it is.
    pub identity: Identity,
    /// The user's generation when it was issued, for strategies that compare it.
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

    /// Whose token it is, if it is accepted at `now`.
    pub fn accept(&self, token: &str, now: Timestamp) -> Result<Checked, Refusal> {
        if token.len() > MAX_BYTES {
            return Err(Refusal::Malformed);
        }
        // From the front: the way in which memory comes.
        let rest = self.check_header(token)?;
        let dot = memchr(b'.', rest.as_bytes()).ok_or(Refusal::Malformed)?;
        let (payload, signature) = (&rest[..dot], &rest[dot + 1..]);
        let message = &token[..token.len() - signature.len() - 1];
        let good = decoded::<{ SHORT[0] }, _>(signature, |bytes| self.keys.verify(message.as_bytes(), bytes));
        if !good? {
            return Err(Refusal::Signature);
        }
        decoded::<{ SHORT[1] }, _>(payload, |text| self.check_claims(text, now))?
    }

    fn check_claims(&self, text: &[u8], now: Timestamp) -> Result<Checked, Refusal> {
        // Once for all of it, and not for each string in it.
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

    /// What is behind the header, if the header is one of ours.
    fn check_header<'a>(&self, token: &'a str) -> Result<&'a str, Refusal> {
        let ours = token.strip_prefix(self.keys.header()).and_then(|rest| rest.strip_prefix('.'));
        if let Some(rest) = ours {
            return Ok(rest);
        }
        // Somebody else who has the key may write the same members in another way.
        let (header, rest) = token.split_once('.').ok_or(Refusal::Malformed)?;
        let text = URL_SAFE_NO_PAD.decode(header).map_err(|_| Refusal::Malformed)?;
        if !is_object(&text) {
            return Err(Refusal::Header);
        }
        let header: TokenHeader = serde_json::from_slice(&text).map_err(|_| Refusal::Header)?;
        let ours = header.typ == TYPE && header.alg == self.keys.algorithm().name() && header.kid == self.keys.kid();
        if ours { Ok(rest) } else { Err(Refusal::Header) }
    }
}

/// Takes base64url that decodes to `N` bytes off the stack, and longer text off the heap.
fn decoded<const N: usize, T>(text: &str, take: impl FnOnce(&[u8]) -> T) -> Result<T, Refusal> {
    if base64::decoded_len_estimate(text.len()) > N {
        return URL_SAFE_NO_PAD.decode(text).map(|bytes| take(&bytes)).map_err(|_| Refusal::Malformed);
    }
    let mut room = [0; N];
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut room).map_err(|_| Refusal::Malformed)?;
    Ok(take(&room[..length]))
}

/// Header and claims are JSON objects (RFC 7515, 5.2; RFC 7519, 7.2). serde takes an array of the values as well.
fn is_object(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{")
}

/// By our clock and to the millisecond, without leeway: at `exp` a token is over (RFC 7519, 4.1.4).
pub(super) fn check_times(claims: &Claims<'_>, now: Timestamp, life: Duration) -> Result<(), Refusal> {
    if claims.iat.0 > now + CLOCK_SKEW || claims.nbf.is_some_and(|nbf| nbf.0 > now) {
        return Err(Refusal::NotYet);
    }
    if now >= claims.exp.0 {
        return Err(Refusal::Expired);
    }
    // Whatever exp says: the life may have been shortened since, or the token signed elsewhere with a longer one.
    if now >= claims.iat.0 + life {
        return Err(Refusal::TooOld);
    }
    Ok(())
}

/// What the claims come to.
pub(super) fn checked(claims: Claims<'_>) -> Result<Checked, Refusal> {
    let named = claims.sid.as_ref().map_or(&*claims.jti, LoginId::as_str);
    let login = LoginId::parse(named).ok_or(Refusal::Malformed)?;
    let subject = Subject { id: claims.sub, name: claims.name.into(), role: claims.role };
    let identity = Identity { subject, login, issued_at: claims.iat.0, expires_at: claims.exp.0 };
    Ok(Checked { identity, generation: claims.generation })
}
