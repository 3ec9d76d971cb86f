//! New passwords: their length, and whether attackers try them first.

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization as _;

use super::guessable::{is_common, is_of_own_words};

/// In characters, after normalisation. No rules of composition (NIST SP 800-63B, 3.1.1.2; OWASP ASVS 5.0, 6.2).
const LONGEST: usize = 128;

/// Why a text cannot be a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RejectedPassword {
    #[error("A password has {minimum} to {LONGEST} characters.")]
    Length { minimum: usize },
    #[error("This password is among the first that an attacker tries. Choose a longer or rarer one.")]
    Common,
    #[error("This password is made of your user name or of this service's name. Attackers try these first.")]
    OwnWords,
}

/// A password that passed the check of [`NewPassword::parse`].
#[derive(Clone, Debug)]
pub struct NewPassword(SecretString);

impl NewPassword {
    /// Accepts `minimum` to 128 characters that take more than a million guesses. An attacker is assumed to know
    /// `user_name`.
    ///
    /// Takes some milliseconds: call it where blocking is allowed.
    pub fn parse(text: &SecretString, user_name: &str, minimum: usize) -> Result<Self, RejectedPassword> {
        let text = normalised(text);
        let password = text.expose_secret();
        if !fits(&text) || password.chars().count() < minimum {
            return Err(RejectedPassword::Length { minimum });
        }
        if is_of_own_words(password, user_name) {
            return Err(RejectedPassword::OwnWords);
        }
        if is_common(password, user_name) {
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

/// Whether a normalised text is short enough to be hashed.
pub(super) fn fits(text: &SecretString) -> bool {
    text.expose_secret().chars().count() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, minimum: usize) -> Result<NewPassword, RejectedPassword> {
        NewPassword::parse(&SecretString::from(text), "alice", minimum)
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(parse("short", 8).expect_err("5 characters").to_string(), "A password has 8 to 128 characters.");
        assert_eq!(parse(&"é".repeat(129), 8).expect_err("129 characters"), RejectedPassword::Length { minimum: 8 });
        assert!(parse("käse-und-brot-um-vier", 8).is_ok());
        assert!(parse(&"correct horse battery staple ".repeat(4), 8).is_ok());
        let (composed, decomposed) = ("käse-und-brot", "ka\u{308}se-und-brot");
        for text in [composed, decomposed] {
            assert!(parse(text, 13).is_ok());
            assert_eq!(parse(text, 14).expect_err("13 characters"), RejectedPassword::Length { minimum: 14 });
        }
    }

    #[test]
    fn a_password_that_attackers_try_first_is_rejected() {
        for common in ["password", "12345678", "qwertyuiop", "iloveyou1"] {
            assert_eq!(parse(common, 8).expect_err(common), RejectedPassword::Common, "{common}");
        }
        for own in ["aliceali", "ecila-2026", "session-jwt"] {
            assert_eq!(parse(own, 8).expect_err(own), RejectedPassword::OwnWords, "{own}");
        }
    }
}
