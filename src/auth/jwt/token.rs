//! The claims of a token and every rule by which one is accepted or refused.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Validation;
use jsonwebtoken::errors::ErrorKind;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Keys;
use crate::auth::{LoginId, Role, Subject, UserId};
use crate::clock::Timestamp;

/// Explicit typing (RFC 8725, 3.11), so that no other kind of token is taken for one of these. The claims are those of
/// RFC 9068 less `client_id`: there is no OAuth client here.
pub(super) const TYPE: &str = "at+jwt";

const ISSUER: &str = "jwt-vs-session";

/// Browsers keep cookies of 4,096 bytes, and need not keep larger ones (RFC 6265, 6.1); nothing longer is issued here.
const MAX_BYTES: usize = 4096;

/// How far another node's clock may be ahead of this one's. It only bears on `iat`: `exp` has no leeway.
const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// Seconds since the epoch, with a fraction where there is one (RFC 7519, 2: `NumericDate`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NumericDate(pub Timestamp);

impl Serialize for NumericDate {
    #[allow(clippy::cast_precision_loss)] // milliseconds since 1970 need 41 bits of the 53
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millis = self.0.as_millis();
        if millis % 1000 == 0 {
            serializer.serialize_i64(millis / 1000)
        } else {
            serializer.serialize_f64(millis as f64 / 1000.0)
        }
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seconds;

        impl Visitor<'_> for Seconds {
            type Value = NumericDate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds since 1970")
            }

            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<NumericDate, E> {
                let millis = i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1000));
                millis
                    .map(|millis| NumericDate(Timestamp::from_millis(millis)))
                    .ok_or_else(|| E::custom("out of range"))
            }

            #[allow(clippy::cast_possible_truncation)] // in range by the check
            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
                if !(0.0..1e12).contains(&seconds) {
                    return Err(E::custom("out of range"));
                }
                Ok(NumericDate(Timestamp::from_millis((seconds * 1000.0).round() as i64)))
            }
        }

        deserializer.deserialize_any(Seconds)
    }
}

/// What a token says (RFC 7519, 4.1). No password, no e-mail: anybody who holds the token can read it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub iss: String,
    /// The mount: a token of one strategy is nothing to another.
    pub aud: String,
    pub sub: UserId,
    pub jti: String,
    pub iat: NumericDate,
    pub exp: NumericDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<NumericDate>,
    pub name: String,
    pub role: Role,
    /// The login that the token is one of many of, under the strategy that renews (OpenID Connect's `sid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The user's generation at the login, under the strategy that compares it.
    #[serde(rename = "gen", default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
}

impl Claims {
    pub fn new(subject: &Subject, login: &LoginId, audience: &str, now: Timestamp, life: Duration) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: audience.to_owned(),
            sub: subject.id,
            jti: login.to_string(),
            iat: NumericDate(now),
            exp: NumericDate(now + life),
            nbf: None,
            name: subject.name.clone(),
            role: subject.role,
            sid: None,
            generation: None,
        }
    }
}

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

/// Checks tokens of one mount.
pub(super) struct TokenCheck {
    keys: Arc<Keys>,
    validation: Validation,
    life: Duration,
}

impl TokenCheck {
    pub fn new(keys: Arc<Keys>, audience: &str, life: Duration) -> Self {
        let mut validation = Validation::new(keys.algorithm().into());
        validation.set_audience(&[audience]);
        validation.set_issuer(&[ISSUER]);
        // The library requires only what is listed here, and only `exp` by default.
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Times are judged below, by our clock and to the millisecond: at `exp` a token is over (RFC 7519, 4.1.4).
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.leeway = 0;
        Self { keys, validation, life }
    }

    /// The claims of a token that is accepted at `now`.
    pub fn accept(&self, token: &str, now: Timestamp) -> Result<Claims, Refusal> {
        self.check_header(token)?;
        let decoded = jsonwebtoken::decode::<Claims>(token, self.keys.decoding(), &self.validation);
        let claims = decoded.map_err(|error| refusal(error.kind()))?.claims;
        self.check_times(&claims, now)?;
        Ok(claims)
    }

    fn check_header(&self, token: &str) -> Result<(), Refusal> {
        if token.len() > MAX_BYTES {
            return Err(Refusal::Malformed);
        }
        let part = token.split('.').next().unwrap_or_default();
        let text = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)?;
        let header: TokenHeader = serde_json::from_slice(&text).map_err(|_| Refusal::Header)?;
        let ours = header.typ == TYPE && header.alg == self.keys.algorithm().name() && header.kid == self.keys.kid();
        if ours { Ok(()) } else { Err(Refusal::Header) }
    }

    fn check_times(&self, claims: &Claims, now: Timestamp) -> Result<(), Refusal> {
        let ahead = now + CLOCK_SKEW;
        if claims.iat.0 > ahead || claims.nbf.is_some_and(|nbf| nbf.0 > now) {
            return Err(Refusal::NotYet);
        }
        if now >= claims.exp.0 {
            return Err(Refusal::Expired);
        }
        // Whatever exp says: the life may have been shortened since, or the token signed elsewhere with a longer one.
        if now >= claims.iat.0 + self.life {
            return Err(Refusal::TooOld);
        }
        Ok(())
    }
}

fn refusal(kind: &ErrorKind) -> Refusal {
    match kind {
        ErrorKind::InvalidSignature => Refusal::Signature,
        ErrorKind::InvalidAlgorithm => Refusal::Header,
        ErrorKind::InvalidToken | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => Refusal::Malformed,
        _ => Refusal::Claims,
    }
}

/// Header and claims of a token as anybody can read them, without the signature.
pub(super) fn readable(token: &str) -> String {
    let parts = token.split('.').take(2).map(|part| {
        let json =
            URL_SAFE_NO_PAD.decode(part).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
        json.and_then(|json| serde_json::to_string_pretty(&json).ok()).unwrap_or_else(|| "(not readable)".to_owned())
    });
    parts.collect::<Vec<_>>().join("\n.\n") + "\n.\n(signature)"
}
