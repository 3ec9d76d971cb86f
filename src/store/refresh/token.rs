//! The text of a refresh token: the name of its family, a dot, and 32 bytes in base64url. The first 16 are the secret
//! (OWASP ASVS 5.0, 7.2.3: at least 128 bits); the others prove that the family made them.
//!
//! The family has a secret, too. With it alone nobody can make a token that the server accepts. So a reader of the
//! database could get a family revoked, and could not log in.

use crate::identity::LoginId;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// The bytes of the secret, and of the proof.
const HALF: usize = 16;

/// Makes the first token of a family, from random bytes.
pub(super) fn first(login: &LoginId, secret: &str, random: [u8; HALF]) -> SecretString {
    made_of(login.as_str(), secret, random)
}

/// Makes the one token that follows. It takes both the token and the family's secret.
pub(super) fn successor(login: &str, secret: &str, token: &SecretString) -> SecretString {
    made_of(login, secret, code(secret, &[b"next", token.expose_secret().as_bytes()]))
}

/// Reads the family that a token names.
pub(super) fn family_of(token: &SecretString) -> Option<LoginId> {
    LoginId::parse(token.expose_secret().split_once('.')?.0)
}

/// Whether the family with this secret made the token, at any time.
pub(super) fn is_of(login: &LoginId, secret: &str, token: &SecretString) -> bool {
    let bytes = token.expose_secret().split_once('.').and_then(|(_, text)| URL_SAFE_NO_PAD.decode(text).ok());
    let Some((random, proof)) = bytes.as_deref().and_then(|bytes| bytes.split_at_checked(HALF)) else { return false };
    verify_slices_are_equal(&proof_of(login.as_str(), secret, random), proof).is_ok()
}

/// Hashes a token: the database holds nothing else of it.
pub(super) fn hash(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose_secret()))
}

fn made_of(login: &str, secret: &str, random: [u8; HALF]) -> SecretString {
    let bytes = [random, proof_of(login, secret, &random)].concat();
    SecretString::from(format!("{login}.{}", URL_SAFE_NO_PAD.encode(bytes)))
}

fn proof_of(login: &str, secret: &str, random: &[u8]) -> [u8; HALF] {
    code(secret, &[b"made", login.as_bytes(), b".", random])
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

    #[test]
    fn a_family_recognises_every_token_of_its_own_and_no_other() {
        let (login, secret) = (LoginId::random(), "a secret");
        let mut token = first(&login, secret, [7; HALF]);
        for _ in 0..3 {
            assert_eq!(family_of(&token), Some(login.clone()));
            assert!(is_of(&login, secret, &token) && !is_of(&login, "another", &token));
            assert!(!is_of(&LoginId::random(), secret, &token));
            let next = successor(login.as_str(), secret, &token);
            assert_eq!(
                (next.expose_secret(), next.expose_secret().len()),
                (successor(login.as_str(), secret, &token).expose_secret(), 22 + 1 + 43)
            );
            token = next;
        }
        let (name, text) = token.expose_secret().split_once('.').expect("a dot");
        let changed = text.replacen(&text[..1], if text.starts_with('A') { "B" } else { "A" }, 1);
        let short = URL_SAFE_NO_PAD.encode([7; HALF]);
        for forged in [format!("{name}.{changed}"), format!("{name}.{short}"), format!("{name}."), name.to_owned()] {
            assert!(!is_of(&login, secret, &SecretString::from(forged)));
        }
    }
}
