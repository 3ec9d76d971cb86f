//! User names: which are allowed, and which are the same.

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;

/// In characters.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=32;

/// Why a text cannot be a user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("A user name has {} to {} characters.", LENGTH.start(), LENGTH.end())]
    Length,
    #[error("A user name has letters, digits, dots, hyphens and underscores only.")]
    Characters,
}

/// A user name that passed the check of [`UserName::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName {
    shown: String,
    folded: String,
}

impl UserName {
    /// Accepts 3 to 32 letters, digits, dots, hyphens and underscores of any script, after Unicode normalisation (NFKC).
    ///
    /// ```
    /// use jwt_vs_session::account::UserName;
    ///
    /// assert!(UserName::parse("al").is_err());
    /// assert_eq!(UserName::parse("Ａlice").unwrap().folded(), UserName::parse("ALICE").unwrap().folded());
    /// ```
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        // Checked before the work: normalisation may lengthen a text.
        if text.len() > LENGTH.end() * 8 {
            return Err(InvalidName::Length);
        }
        let shown: String = text.trim().nfkc().collect();
        if !LENGTH.contains(&shown.chars().count()) {
            return Err(InvalidName::Length);
        }
        if !shown.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')) {
            return Err(InvalidName::Characters);
        }
        let folded = Self::fold(&shown);
        Ok(Self { shown, folded })
    }

    /// Folds a text for comparison with names. The text need not be a name: one that is too long is truncated.
    pub fn fold(text: &str) -> String {
        // No name has a control character, and PostgreSQL takes no NUL.
        let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
        text.trim().chars().take(LENGTH.end() * 4).map(plain).nfkc().default_case_fold().nfkc().collect()
    }

    /// The name as the user typed it, normalised.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The name as it is compared.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

#[cfg(test)]
mod tests {
    use super::UserName;

    #[test]
    fn names_that_look_the_same_are_the_same() {
        for (one, other) in [("Alice", "aLICE"), ("straße", "STRASSE"), ("ｂob", "bob"), ("re\u{301}my", "rémy")] {
            assert_eq!(UserName::fold(one), UserName::fold(other), "{one} and {other}");
        }
    }

    #[test]
    fn an_invalid_name_is_refused_with_a_sentence() {
        let long = "x".repeat(33);
        for bad in ["", "ab", &long, "a b c", "a\u{0}bc", "<script>", "a/b/c", "\u{202e}abc", "☃☃☃"] {
            let sentence = UserName::parse(bad).expect_err(bad).to_string();
            assert!(sentence.starts_with("A user name has"), "{sentence}");
        }
    }

    #[test]
    fn names_of_any_script_are_accepted() {
        for good in ["bob", "Ольга", "王小明", "o'x".replace('\'', "-").as_str(), &"x".repeat(32)] {
            assert!(UserName::parse(good).is_ok(), "{good}");
        }
    }
}
