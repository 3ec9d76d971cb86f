//! Passwords that attackers try first: common ones, and those made of what everybody knows about the login.

use zxcvbn::{Score, zxcvbn};

use super::UserName;

/// zxcvbn rates this many characters. Its effort grows faster than the length, and anybody can make the server run it.
const RATED: usize = 32;

/// The words of the service's name.
const SERVICE: [&str; 3] = ["jwtvssession", "session", "jwt"];

/// With fewer letters beside the own words, a password is made of these.
const OTHER_LETTERS: usize = 4;

/// Common passwords of 2023 to 2025 that zxcvbn, whose 30,000 are older, takes for rare. Case-folded.
const LATER: [&str; 22] = [
    "123meklozed",
    "868689849",
    "aa195043",
    "aabb1122",
    "abc@1234",
    "abc@12345",
    "aboy1234",
    "adam2312",
    "adminisp",
    "admintelecom",
    "cindylee1",
    "contraseña",
    "eliska81",
    "films+pic+galeries",
    "heslo1234",
    "hotmail0",
    "hotmail1",
    "kapler123",
    "sentnece",
    "theworldinyourhand",
    "turktelekom",
    "vqsablpzla",
];

/// Whether a password takes less than a million guesses.
pub(super) fn is_common(password: &str, user_name: &str) -> bool {
    let rated: String = password.chars().take(RATED).collect();
    if zxcvbn(&rated, &[user_name, "jwt-vs-session"]).score() < Score::Two {
        return true;
    }
    let folded = UserName::fold(password);
    LATER.contains(&folded.as_str()) || is_decorated_word(&folded)
}

/// Whether a password is a common word with a few digits and signs around it, such as `Welcome@123`.
fn is_decorated_word(folded: &str) -> bool {
    let word = folded.trim_matches(|c: char| !c.is_alphabetic());
    let (length, all) = (word.chars().count(), folded.chars().count());
    let plain = word.chars().all(char::is_alphabetic) && (4..=RATED).contains(&length);
    plain && all - length <= 6 && zxcvbn(word, &[]).guesses() < 10_000
}

/// Whether a password is made of the user's name or the service's (OWASP ASVS 5.0, 6.2.11): also backwards, with digits and
/// signs, or with digits for letters.
pub(super) fn is_of_own_words(password: &str, user_name: &str) -> bool {
    let folded = UserName::fold(password);
    let user_name = UserName::fold(user_name);
    let joined: String = user_name.chars().filter(|c| c.is_alphanumeric()).collect();
    let parts = user_name.split(|c: char| !c.is_alphanumeric()).filter(|part| part.chars().count() > 2);
    let mut words: Vec<&str> = parts.chain([user_name.as_str(), &joined]).chain(SERVICE).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let forms = [folded.clone(), folded.chars().map(letter).collect()];
    forms.iter().any(|form| {
        let backwards: String = form.chars().rev().collect();
        is_made_of(form, &words) || is_made_of(&backwards, &words)
    })
}

/// The letter that a digit or a sign stands for.
fn letter(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

fn is_made_of(text: &str, words: &[&str]) -> bool {
    let rest = words.iter().fold(text.to_owned(), |rest, word| rest.replace(word, " "));
    rest != text && rest.chars().filter(|c| c.is_alphabetic()).count() < OTHER_LETTERS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From lists of 2012 to 2025, at ranks from 1 to 10,000: those of 8 characters and more.
    const COMMON: &str = "password 12345678 baseball football trustno1 jennifer sunshine iloveyou starwars computer michelle \
        11111111 princess 987654321 123456789 corvette qwertyuiop 1qaz2wsx midnight qwerty123 Password1 P@ssw0rd \
        password123 zaq12wsx asdfghjkl changeme letmein1 superman1 1q2w3e4r5t 123456789a q1w2e3r4t5 administrator \
        Pass@123 Admin@123 Abcd@1234 Password@123 Welcome@123 India@123 Demo@123 Test@123 Global123@ Kumar@123 Abcd1234@ \
        Pass@12345 P@$$w0rd Contraseña TurkTelekom 123456aA@ minecraft bismillah 1029384756 azertyuiop Abc@1234";

    #[test]
    fn common_passwords_of_old_and_of_new_lists_are_refused() {
        for common in COMMON.split_whitespace() {
            assert!(is_common(common, "somebody"), "{common}");
        }
    }

    #[test]
    fn a_word_among_others_is_not_common() {
        for rare in
            ["käse-und-brot-um-vier", "two-doors-one-key", "7f3a9c21", "welcome-7391-8462-0041", "Ольга@ждёт-нас"]
        {
            assert!(!is_common(rare, "somebody") && !is_of_own_words(rare, "somebody"), "{rare}");
        }
    }

    #[test]
    fn own_words_are_found_in_every_form() {
        for own in [
            "jan-o-connor",
            "Jan.O.Connor",
            "janoconnor1",
            "connor-1987!",
            "rOnNoC-2026",
            "c0nn0r-c0nn0r",
            "session-jwt-99",
            "JWT vs Session",
            "sess10n2026!",
            "noisses-twj-77",
            "connorsession",
        ] {
            assert!(is_of_own_words(own, "Jan-O-Connor"), "{own}");
        }
        for other in
            ["connor-under-bridge", "session-of-parliament", "jansson-olofsson", "o-o-o-o-o-o-o", "73918462004135"]
        {
            assert!(!is_of_own_words(other, "Jan-O-Connor"), "{other}");
        }
        assert!(is_of_own_words("Ольга2024!", "ольга") && is_of_own_words("ОЛЬГАольга", "Ольга"));
    }
}
