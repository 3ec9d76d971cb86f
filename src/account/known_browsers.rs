//! Known browsers: a signed cookie proves that a browser has logged in to an account before (OWASP: "Slow Down Online
//! Guessing Attacks with Device Cookies").
//!
//! It logs nobody in: whoever has a copy may try passwords within an allowance of its own, and no more.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::identity::UserId;

/// A browser is known to the users who logged in last.
const USERS: usize = 4;

/// The bytes of a mark, and the length of a mark and its signature in base64url.
const MARK_BYTES: usize = 16;
const PROOF_LENGTH: usize = 64;

/// Signs and checks the cookie. Its value has a proof for each user, the newest first: `PROOF.PROOF`. A proof is a random
/// mark and an HMAC over the mark, the user's id and the password hash. So a password change makes strangers of the
/// browsers that logged in before it.
pub struct KnownBrowsers(Vec<hmac::Key>);

impl KnownBrowsers {
    /// Signs with the first secret, and accepts all.
    pub fn new(secrets: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self(secrets.into_iter().map(|secret| hmac::Key::new(hmac::HMAC_SHA256, &secret)).collect())
    }

    /// The browser's mark, if its cookie proves that it has logged in as this user since the last password change.
    pub fn recognise(&self, cookie: &str, user: UserId, password_hash: &str) -> Option<String> {
        let marks = cookie.split('.').take(USERS);
        marks.filter_map(decode).find_map(|proof| self.mark_of(&proof, user, password_hash))
    }

    /// Makes the cookie's value after a login. It keeps the proofs of other users in `cookie`.
    pub fn remember(&self, cookie: Option<&str>, user: UserId, password_hash: &str) -> Option<String> {
        let mark = Uuid::new_v4();
        let tag = hmac::sign(self.0.first()?, &message(mark.as_bytes(), user, password_hash));
        let mut proofs = vec![URL_SAFE_NO_PAD.encode([mark.as_bytes(), tag.as_ref()].concat())];
        let others = cookie.unwrap_or_default().split('.').take(USERS);
        let others =
            others.filter(|text| decode(text).is_some_and(|proof| self.mark_of(&proof, user, password_hash).is_none()));
        proofs.extend(others.take(USERS - 1).map(ToOwned::to_owned));
        Some(proofs.join("."))
    }

    fn mark_of(&self, proof: &[u8], user: UserId, password_hash: &str) -> Option<String> {
        let (mark, tag) = proof.split_at_checked(MARK_BYTES)?;
        let message = message(mark, user, password_hash);
        let signed = self.0.iter().any(|key| hmac::verify(key, &message, tag).is_ok());
        signed.then(|| URL_SAFE_NO_PAD.encode(mark))
    }
}

impl std::fmt::Debug for KnownBrowsers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KnownBrowsers({} keys)", self.0.len())
    }
}

fn message(mark: &[u8], user: UserId, password_hash: &str) -> Vec<u8> {
    [mark, user.0.as_bytes(), password_hash.as_bytes()].concat()
}

/// `None` for a text that is no proof.
fn decode(text: &str) -> Option<Vec<u8>> {
    (text.len() == PROOF_LENGTH).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$of-the-password";

    #[test]
    fn a_proof_is_of_one_user_one_password_and_one_secret() {
        let (browsers, alice) = (KnownBrowsers::new([[1; 32]]), UserId::random());
        let cookie = browsers.remember(None, alice, HASH).expect("a cookie");
        assert!(browsers.recognise(&cookie, alice, HASH).is_some());
        assert_eq!(browsers.recognise(&cookie, UserId::random(), HASH), None, "another user");
        assert_eq!(browsers.recognise(&cookie, alice, "$argon2id$of-the-next"), None, "another password");
        assert_eq!(KnownBrowsers::new([[2; 32]]).recognise(&cookie, alice, HASH), None, "another secret");
        for made_up in ["", ".", "x", &cookie[1..], &"A".repeat(64), &cookie.replace(&cookie[40..44], "AAAA")] {
            assert_eq!(browsers.recognise(made_up, alice, HASH), None, "{made_up}");
        }
    }

    #[test]
    fn a_second_secret_is_accepted_and_the_first_signs() {
        let alice = UserId::random();
        let (old, both) = (KnownBrowsers::new([[1; 32]]), KnownBrowsers::new([[2; 32], [1; 32]]));
        let cookie = old.remember(None, alice, HASH).expect("a cookie");
        assert!(both.recognise(&cookie, alice, HASH).is_some());
        let next = both.remember(Some(&cookie), alice, HASH).expect("a cookie");
        assert!(KnownBrowsers::new([[2; 32]]).recognise(&next, alice, HASH).is_some());
        assert_eq!(next.len(), PROOF_LENGTH, "the old proof of the same user went");
    }

    #[test]
    fn a_browser_is_known_to_the_last_four_users() {
        let browsers = KnownBrowsers::new([[1; 32]]);
        let users = [(); 5].map(|()| UserId::random());
        let remember = |cookie: Option<String>, user: &UserId| browsers.remember(cookie.as_deref(), *user, HASH);
        let cookie = users.iter().fold(None, remember).expect("a cookie");
        let known = users.map(|user| browsers.recognise(&cookie, user, HASH).is_some());
        assert_eq!(known, [false, true, true, true, true]);
        assert_eq!(browsers.remember(Some(&"x.".repeat(9)), users[0], HASH).expect("a cookie").len(), PROOF_LENGTH);
    }
}
