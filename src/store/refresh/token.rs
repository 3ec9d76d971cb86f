//! The text of a refresh token: the name of its family, a dot, and 32 bytes in base64url. The first 16 are the secret
//! (OWASP ASVS 5.0, 7.2.3: at least 128 bits); the others prove that the family made them.
//!
//! The family has a secret, too. With it alone nobody can make a token that the server accepts. So a reader of the
//! database could get a family revoked, and could not log in.

use crate::identity::{ClientOrigin, LoginId};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The bytes of the secret, and of the proof.
const HALF: usize = 16;

/// A text with the form of a refresh token. Any other text is refused without a look at the database.
#[derive(Debug)]
pub struct RefreshToken {
    text: SecretString,
    family: LoginId,
    random: [u8; HALF],
    proof: [u8; HALF],
}

impl RefreshToken {
    /// Reads a token from outside. `None`: no server issued it.
    pub fn parse(text: &str) -> Option<Self> {
        let (family, bytes) = text.split_once('.')?;
        let bytes = URL_SAFE_NO_PAD.decode(bytes).ok()?;
        let (random, proof) = bytes.split_at_checked(HALF)?;
        Some(Self {
            text: SecretString::from(text),
            family: LoginId::parse(family)?,
            random: random.try_into().ok()?,
            proof: proof.try_into().ok()?,
        })
    }

    /// The family that the token names.
    pub(super) fn family(&self) -> &LoginId {
        &self.family
    }

    /// Whether the family with this secret made the token, at any time.
    pub(super) fn is_of(&self, secret: &str) -> bool {
        verify_slices_are_equal(&proof_of(&self.family, secret, &self.random), &self.proof).is_ok()
    }

    /// Hashes the token: the database holds nothing else of it.
    pub(super) fn hash(&self) -> String {
        hash(&self.text)
    }

    /// Makes the token that follows. It takes both the token and the family's secret. `sibling` counts the successors
    /// that replaced a lost one.
    pub(super) fn successor(&self, secret: &str, sibling: i32) -> SecretString {
        let parts = [b"next", self.text.expose_secret().as_bytes(), &sibling.to_be_bytes()];
        made_of(&self.family, secret, code(secret, &parts))
    }

    /// Hashes the client that presents the token, under a key that needs the token: a reader of the database cannot try
    /// addresses.
    pub(super) fn mark(&self, secret: &str, client: &ClientOrigin) -> String {
        let ClientOrigin { network, browser } = client;
        let parts: [&[u8]; _] =
            [b"used by", self.text.expose_secret().as_bytes(), network.as_bytes(), b"\0", browser.as_bytes()];
        URL_SAFE_NO_PAD.encode(code(secret, &parts))
    }
}

/// Makes the first token of a family, from random bytes.
pub(super) fn first(login: &LoginId, secret: &str, random: [u8; HALF]) -> SecretString {
    made_of(login, secret, random)
}

pub(super) fn hash(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose_secret()))
}

fn made_of(login: &LoginId, secret: &str, random: [u8; HALF]) -> SecretString {
    let bytes = [random, proof_of(login, secret, &random)].concat();
    SecretString::from(format!("{login}.{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn proof_of(login: &LoginId, secret: &str, random: &[u8]) -> [u8; HALF] {
    code(secret, &[b"made", login.as_str().as_bytes(), b".", random])
}

/// The first half of an HMAC with SHA-256, which is as strong as its length (RFC 2104, 5). The first part names the purpose.
fn code(secret: &str, parts: &[&[u8]]) -> [u8; HALF] {
    let whole = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), &parts.concat());
    let mut half = [0; HALF];
    half.copy_from_slice(&whole.as_ref()[..HALF]);
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &SecretString) -> RefreshToken {
        RefreshToken::parse(text.expose_secret()).expect("the form of a token")
    }

    #[test]
    fn a_family_recognises_every_token_of_its_own_and_no_other() {
        let (login, secret) = (LoginId::random(), "a secret");
        let mut text = first(&login, secret, [7; HALF]);
        for _ in 0..3 {
            let token = parse(&text);
            assert_eq!(token.family(), &login);
            assert!(token.is_of(secret) && !token.is_of("another"));
            let (next, sibling) = (token.successor(secret, 0), token.successor(secret, 1));
            assert_eq!(next.expose_secret(), token.successor(secret, 0).expose_secret());
            assert!(next.expose_secret() != sibling.expose_secret() && parse(&sibling).is_of(secret));
            assert_eq!(next.expose_secret().len(), 22 + 1 + 43);
            text = next;
        }
        let (name, bytes) = text.expose_secret().split_once('.').expect("a dot");
        let changed = bytes.replacen(&bytes[..1], if bytes.starts_with('A') { "B" } else { "A" }, 1);
        for forged in [format!("{name}.{changed}"), format!("{}.{bytes}", LoginId::random())] {
            assert!(!RefreshToken::parse(&forged).expect("the form of a token").is_of(secret));
        }
        let short = URL_SAFE_NO_PAD.encode([7; HALF]);
        for other in [format!("{name}.{short}"), format!("{name}.{bytes}AA"), format!("{name}."), name.to_owned()] {
            assert!(RefreshToken::parse(&other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_mark_tells_clients_apart_and_is_of_one_token() {
        let text = |random| first(&LoginId::random(), "a secret", [random; HALF]);
        let client = |network: &str, browser: &str| ClientOrigin { network: network.into(), browser: browser.into() };
        let (token, honest) = (parse(&text(7)), client("192.0.2.7", "Firefox"));
        let mark = token.mark("a secret", &honest);
        assert_eq!(mark, token.mark("a secret", &honest));
        for other in [client("192.0.2.8", "Firefox"), client("192.0.2.7", "curl"), client("192.0.2.7F", "irefox")] {
            assert_ne!(mark, token.mark("a secret", &other), "{other:?}");
        }
        assert_ne!(mark, parse(&text(8)).mark("a secret", &honest));
        assert_ne!(mark, token.mark("another", &honest));
    }
}
