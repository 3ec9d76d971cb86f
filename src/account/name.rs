//! User names: which are allowed, and which are the same.

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization as _;
use unicode_security::GeneralSecurityProfile as _;
use unicode_security::general_security_profile::IdentifierType;
use unicode_security::mixed_script::AugmentedScriptSet;

/// In characters.
const LENGTH: std::ops::RangeInclusive<usize> = 3..=32;

/// Why a text cannot be a user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("A user name has {} to {} characters.", LENGTH.start(), LENGTH.end())]
    Length,
    #[error("A user name has letters, digits, dots, hyphens and underscores only.")]
    Characters,
    /// Two names could look the same.
    #[error("A user name has no invisible characters.")]
    Invisible,
    /// Cyrillic `а` beside Latin letters looks like Latin `a` (Unicode Technical Standard 39, 5.1).
    #[error(
        "A user name has letters of one script only, such as Latin or Cyrillic. Letters from a to z may stand beside \
        Chinese, Japanese or Korean."
    )]
    MixedScripts,
}

/// A user name that passed the check of [`UserName::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName {
    shown: String,
    folded: String,
}

impl UserName {
    /// Accepts 3 to 32 letters, digits, dots, hyphens and underscores of one script, after Unicode normalisation (NFKC). The
    /// scripts that are written together count as one.
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
        if shown.chars().any(is_invisible) {
            return Err(InvalidName::Invisible);
        }
        if !shown.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')) {
            return Err(InvalidName::Characters);
        }
        if !has_one_script(&shown) {
            return Err(InvalidName::MixedScripts);
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

/// Whether Unicode lets a program show nothing for it (`Default_Ignorable_Code_Point`), such as a Hangul filler, which counts
/// as a letter.
fn is_invisible(c: char) -> bool {
    c.identifier_type() == Some(IdentifierType::Default_Ignorable)
}

/// Single script, or highly restrictive, by Unicode Technical Standard 39, 5.2; beside Han, kana and Hangul only the Latin
/// letters of ASCII.
fn has_one_script(name: &str) -> bool {
    let others: String = name.chars().filter(|c| !c.is_ascii()).collect();
    let set = AugmentedScriptSet::for_str(&others);
    !AugmentedScriptSet::for_str(name).is_empty() || set.hanb || set.jpan || set.kore
}

#[cfg(test)]
mod tests {
    use super::{InvalidName, UserName};

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
    fn a_name_that_looks_like_another_is_refused() {
        for mixed in ["\u{430}lice", "b\u{3bf}b", "Ольgа", "王小明и", "김ольга", "ali\u{441}e-1"] {
            assert_eq!(UserName::parse(mixed).expect_err(mixed), InvalidName::MixedScripts, "{mixed}");
        }
        for code in [
            0xAD, 0x34F, 0x115F, 0x1160, 0x17B4, 0x180B, 0x200B, 0x200D, 0x2060, 0x3164, 0xFE0F, 0xFEFF, 0xFFA0,
            0xE0100,
        ] {
            let c = char::from_u32(code).expect("a character");
            for name in [format!("alice{c}"), format!("al{c}ice"), format!("{c}alice")] {
                assert_eq!(UserName::parse(&name).expect_err(&name), InvalidName::Invisible, "{code:x}");
            }
        }
    }

    #[test]
    fn names_of_any_script_are_accepted() {
        let east_asian = ["王小明", "田中さくら", "タロウ2000", "山田taro", "김alice", "abc-ㄅㄆㄇ"];
        let one_script = ["bob", "Ольга.7", "Ελένη_1", "محمد-2", "דוד.כהן", "Łukasz", "o-x", "नीतू-1", "ยุพา"];
        let long = "x".repeat(32);
        for good in one_script.into_iter().chain(east_asian).chain([long.as_str()]) {
            assert!(UserName::parse(good).is_ok(), "{good}");
        }
    }
}
