//! New passwords: long enough, not too long, and not one that everybody tries first.

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::{Score, zxcvbn};

/// How many characters a password has. No rules of composition (NIST SP 800-63B, 3.1.1.2; OWASP ASVS 5.0, 6.2).
const LENGTH: std::ops::RangeInclusive<usize> = 8..=128;

/// zxcvbn's effort grows faster than the length, and anybody may ask for it: these many characters decide.
const JUDGED: usize = 32;

/// A password that may be set. Exists only if it passed the check.
#[derive(Clone, Debug)]
pub struct NewPassword(SecretString);

impl NewPassword {
    /// 8 to 128 characters that take more than a million guesses; `user_name` counts as a known word.
    ///
    /// Takes some milliseconds: call it where blocking is allowed.
    pub fn parse(text: &SecretString, user_name: &str) -> Result<Self, String> {
        let text = normalised(text);
        if !LENGTH.contains(&text.expose_secret().chars().count()) {
            return Err(format!("A password has {} to {} characters.", LENGTH.start(), LENGTH.end()));
        }
        let judged: String = text.expose_secret().chars().take(JUDGED).collect();
        if zxcvbn(&judged, &[user_name, "jwt-vs-session"]).score() < Score::Two {
            return Err(
                "This password is among the first that an attacker tries. Choose a longer or rarer one.".to_owned()
            );
        }
        Ok(Self(text))
    }

    /// The password itself.
    pub fn secret(&self) -> &SecretString {
        &self.0
    }
}

/// The same password typed on another keyboard is the same (RFC 8265, 4.2: NFC).
pub(super) fn normalised(text: &SecretString) -> SecretString {
    SecretString::from(text.expose_secret().nfc().collect::<String>())
}

/// Whether a text may be a password at all: longer ones are not hashed.
pub(super) fn plausible(text: &SecretString) -> bool {
    text.expose_secret().len() <= LENGTH.end() * 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<NewPassword, String> {
        NewPassword::parse(&SecretString::from(text), "alice")
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(parse("short").expect_err("5 characters").contains("8 to 128"));
        assert!(parse(&"é".repeat(129)).expect_err("129 characters").contains("8 to 128"));
        assert!(parse("käse-und-brot-um-vier").is_ok());
        assert!(parse(&"correct horse battery staple ".repeat(4)).is_ok());
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for common in ["password", "12345678", "qwertyuiop", "aliceali", "iloveyou1"] {
            assert!(parse(common).expect_err(common).contains("attacker"), "{common}");
        }
    }
}
