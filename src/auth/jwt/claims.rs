//! The claims: what a token says of a login.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Timestamp;
use crate::identity::{LoginId, Role, Subject, UserId};

/// The type in every header, so that no other kind of token passes for one of these (RFC 8725, 3.11). The claims are those
/// of RFC 9068 without `client_id`: there is no OAuth client here.
pub(super) const TYPE: &str = "at+jwt";

/// The issuer of every token.
pub(super) const ISSUER: &str = "jwt-vs-session";

/// Seconds since the Unix epoch, with a fraction if it is not zero (RFC 7519, 2: `NumericDate`).
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

            #[allow(clippy::cast_possible_truncation)] // in range by the check, and rounded, as it is not negative
            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
                if !(0.0..1e12).contains(&seconds) {
                    return Err(E::custom("out of range"));
                }
                Ok(NumericDate(Timestamp::from_millis((seconds * 1000.0 + 0.5) as i64)))
            }
        }

        deserializer.deserialize_any(Seconds)
    }
}

/// What a token says (RFC 7519, 4.1). No password, no e-mail: anybody who holds the token can read it.
///
/// The texts are borrowed: a check reads most of them once, and keeps none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims<'a> {
    #[serde(borrow)]
    pub iss: Cow<'a, str>,
    /// The mount: a strategy refuses the tokens of every other one.
    #[serde(borrow)]
    pub aud: Cow<'a, str>,
    pub sub: UserId,
    #[serde(borrow)]
    pub jti: Cow<'a, str>,
    pub iat: NumericDate,
    pub exp: NumericDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<NumericDate>,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    pub role: Role,
    /// The login, under the strategy that renews: one login has many tokens there (OpenID Connect's `sid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<LoginId>,
    /// The user's generation at the login, under strategies that compare it.
    #[serde(rename = "gen", default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
}

impl<'a> Claims<'a> {
    pub fn new(subject: &'a Subject, token: &'a LoginId, audience: &'a str, now: Timestamp, life: Duration) -> Self {
        Self {
            iss: ISSUER.into(),
            aud: audience.into(),
            sub: subject.id,
            jti: token.as_str().into(),
            iat: NumericDate(now),
            exp: NumericDate(now + life),
            nbf: None,
            name: subject.name.as_str().into(),
            role: subject.role,
            sid: None,
            generation: None,
        }
    }
}

/// Decodes header and claims of a token for a page. Checks nothing.
pub(super) fn readable(token: &str) -> String {
    let parts = token.split('.').take(2).map(|part| {
        let json =
            URL_SAFE_NO_PAD.decode(part).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
        json.and_then(|json| serde_json::to_string_pretty(&json).ok()).unwrap_or_else(|| "(not readable)".to_owned())
    });
    parts.collect::<Vec<_>>().join("\n.\n") + "\n.\n(signature)"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_in_seconds_with_a_fraction_only_if_it_has_one() {
        for (millis, text) in [
            (1_800_000_000_000, "1800000000"),
            (1_800_000_000_123, "1800000000.123"),
            (1_800_000_000_500, "1800000000.5"),
            (999, "0.999"),
            (0, "0"),
        ] {
            let date = NumericDate(Timestamp::from_millis(millis));
            assert_eq!(serde_json::to_string(&date).expect("JSON"), text);
            assert_eq!(serde_json::from_str::<NumericDate>(text).expect("a date"), date);
        }
    }
}
