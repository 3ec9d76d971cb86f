//! The tokens of a family, each made of the one before.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::store::sessions::LoginId;

/// The first token of a family: the family's name, and 256 random bits.
pub(super) fn first(login: &LoginId, random: &str) -> SecretString {
    SecretString::from(format!("{login}.{random}"))
}

/// Which family a token says that it is of.
pub(super) fn family_of(token: &SecretString) -> Option<LoginId> {
    LoginId::parse(token.expose_secret().split_once('.')?.0)
}

/// What is stored of a token.
pub(super) fn hash(token: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.expose_secret()))
}

/// The one token that follows: who has neither the token nor the secret cannot make it.
pub(super) fn successor(login: &str, secret: &str, token: &SecretString) -> SecretString {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    step(login, &key, token)
}

fn step(login: &str, key: &hmac::Key, token: &SecretString) -> SecretString {
    let code = URL_SAFE_NO_PAD.encode(hmac::sign(key, token.expose_secret().as_bytes()));
    SecretString::from(format!("{login}.{code}"))
}

/// The tokens that a family has used.
pub(super) struct Chain {
    pub secret: String,
    /// The hash of the token that was not used yet.
    pub newest: String,
    /// How many were used.
    pub renewals: i64,
}

impl Chain {
    /// Whether a token leads to the newest one. Up to a microsecond for each renewal of the family's life, so not where
    /// requests are answered.
    pub async fn has_used(self, token: SecretString) -> bool {
        tokio::task::spawn_blocking(move || self.leads_to_newest(token)).await.unwrap_or(false)
    }

    fn leads_to_newest(&self, mut token: SecretString) -> bool {
        let Some(login) = family_of(&token) else { return false };
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        (0..self.renewals).any(|_| {
            token = step(login.as_str(), &key, &token);
            hash(&token) == self.newest
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_used_token_leads_to_the_newest_and_no_other_does() {
        let login = LoginId::random();
        let (secret, mut newest) = ("a secret".to_owned(), first(&login, "random"));
        let mut used = Vec::new();
        for _ in 0..5 {
            let next = successor(login.as_str(), &secret, &newest);
            used.push(std::mem::replace(&mut newest, next));
        }
        let chain = Chain { secret, newest: hash(&newest), renewals: 5 };
        assert!(used.iter().all(|token| chain.leads_to_newest(token.clone())));
        let ahead = successor(login.as_str(), &chain.secret, &newest);
        let forged = [&*format!("{login}.random2"), "random", "", "."].map(SecretString::from);
        for other in [newest, ahead].into_iter().chain(forged) {
            assert!(!chain.leads_to_newest(other));
        }
        let other = Chain { secret: "another".to_owned(), ..chain };
        assert!(used.iter().all(|token| !other.leads_to_newest(token.clone())));
    }
}
