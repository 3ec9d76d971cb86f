//! New passwords: their length, and whether attackers try them first.

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::{Score, zxcvbn};

/// In characters. No rules of composition (NIST SP 800-63B, 3.1.1.2; OWASP ASVS 5.0, 6.2).
const LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// zxcvbn rates this many characters. Its effort grows faster than the length, and anybody can make the server run it.
const RATED: usize = 32;

/// Why a text cannot be a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RejectedPassword {
    #[error("A password has {} to {} characters.", LENGTH.start(), LENGTH.end())]
    Length,
    #[error("This password is among the first that an attacker tries. Choose a longer or rarer one.")]
    Common,
}

/// A password that passed the check of [`NewPassword::parse`].
#[derive(Clone, Debug)]
pub struct NewPassword(SecretString);

impl NewPassword {
    /// Accepts 8 to 128 characters that take more than a million guesses. An attacker is assumed to know `user_name`.
    ///
    /// Takes some milliseconds: call it where blocking is allowed.
    pub fn parse(text: &SecretString, user_name: &str) -> Result<Self, RejectedPassword> {
        let text = normalised(text);
        if !LENGTH.contains(&text.expose_secret().chars().count()) {
            return Err(RejectedPassword::Length);
        }
        let rated: String = text.expose_secret().chars().take(RATED).collect();
        if zxcvbn(&rated, &[user_name, "jwt-vs-session"]).score() < Score::Two {
            return Err(RejectedPassword::Common);
        }
        Ok(Self(text))
    }

    pub fn secret(&self) -> &SecretString {
        &self.0
    }
}

/// Makes a password the same on every keyboard (RFC 8265, 4.2: NFC).
pub(super) fn normalised(text: &SecretString) -> SecretString {
    SecretString::from(text.expose_secret().nfc().collect::<String>())
}

/// Whether a text is short enough to be hashed.
pub(super) fn plausible(text: &SecretString) -> bool {
    text.expose_secret().len() <= LENGTH.end() * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<NewPassword, RejectedPassword> {
        NewPassword::parse(&SecretString::from(text), "alice")
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(parse("short").expect_err("5 characters").to_string(), "A password has 8 to 128 characters.");
        assert_eq!(parse(&"é".repeat(129)).expect_err("129 characters"), RejectedPassword::Length);
        assert!(parse("käse-und-brot-um-vier").is_ok());
        assert!(parse(&"correct horse battery staple ".repeat(4)).is_ok());
    }

    #[test]
    fn a_common_password_is_rejected() {
        for common in ["password", "12345678", "qwertyuiop", "aliceali", "iloveyou1"] {
            assert_eq!(parse(common).expect_err(common), RejectedPassword::Common, "{common}");
        }
    }
}
