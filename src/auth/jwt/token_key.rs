//! One key, ready to sign and to check.

use std::collections::HashSet;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, ThumbprintHash};
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;

use super::SigningAlgorithm;
use super::claims::TYPE;
use super::key_error::{KeysError, MIN_DIFFERENT_BYTES, MIN_SECRET_BYTES};
use super::verifier::Verifier;

/// A secret or a key pair, and its name.
pub(super) struct TokenKey {
    algorithm: SigningAlgorithm,
    header: Header,
    /// The header of every token that this key signs, in base64url.
    encoded_header: String,
    kid: String,
    encoding: EncodingKey,
    verifier: Verifier,
    public: Option<Jwk>,
}

impl TokenKey {
    /// Takes a secret of at least 32 bytes, for HS256.
    pub fn symmetric(secret: &[u8]) -> Result<Self, KeysError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeysError::ShortSecret(secret.len()));
        }
        let different = secret.iter().collect::<HashSet<_>>().len();
        if different < MIN_DIFFERENT_BYTES {
            return Err(KeysError::WeakSecret(different));
        }
        // Names the key, and says nothing else about it.
        let name = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"key id");
        let kid = URL_SAFE_NO_PAD.encode(&name.as_ref()[..6]);
        let verifier = Verifier::of_secret(secret).ok_or(KeysError::ShortSecret(secret.len()))?;
        Ok(Self::new(SigningAlgorithm::Hs256, kid, EncodingKey::from_secret(secret), verifier, None))
    }

    /// Reads a key pair, PKCS #8 in PEM.
    pub fn key_pair(pem: &str, algorithm: SigningAlgorithm) -> jsonwebtoken::errors::Result<Self> {
        let encoding = match algorithm {
            SigningAlgorithm::Es256 => EncodingKey::from_ec_pem(pem.as_bytes())?,
            SigningAlgorithm::EdDsa => EncodingKey::from_ed_pem(pem.as_bytes())?,
            _ => EncodingKey::from_rsa_pem(pem.as_bytes())?,
        };
        let mut jwk = Jwk::from_encoding_key(&encoding, algorithm.into())?;
        // RFC 7638: the thumbprint names a key the same way everywhere.
        let kid = jwk.thumbprint(ThumbprintHash::SHA256)?;
        jwk.common.key_id = Some(kid.clone());
        let verifier = Verifier::of_key_pair(algorithm, &encoding).ok_or(ErrorKind::InvalidKeyFormat)?;
        Ok(Self::new(algorithm, kid, encoding, verifier, Some(jwk)))
    }

    fn new(
        algorithm: SigningAlgorithm,
        kid: String,
        encoding: EncodingKey,
        verifier: Verifier,
        public: Option<Jwk>,
    ) -> Self {
        let mut header = Header::new(algorithm.into());
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(kid.clone());
        Self { algorithm, encoded_header: encoded(&header), header, kid, encoding, verifier, public }
    }

    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The key's name: `kid` in a token's header.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half (RFC 7517). `None` for a secret.
    pub fn public(&self) -> Option<&Jwk> {
        self.public.as_ref()
    }

    /// The length of an RSA key's modulus, in bits. `None` for another kind of key.
    pub fn rsa_bits(&self) -> Option<usize> {
        match &self.public.as_ref()?.algorithm {
            AlgorithmParameters::RSA(key) => URL_SAFE_NO_PAD.decode(&key.n).ok().map(|modulus| modulus.len() * 8),
            _ => None,
        }
    }

    /// The header of every token that this key signs, in base64url.
    pub fn header(&self) -> &str {
        &self.encoded_header
    }

    /// Whether the signature over the message was made with this key.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify(message, signature)
    }

    pub fn sign(&self, claims: &impl Serialize) -> jsonwebtoken::errors::Result<String> {
        jsonwebtoken::encode(&self.header, claims, &self.encoding)
    }

    /// Derives a secret for another purpose than tokens.
    pub fn derive_secret(&self, purpose: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.encoding.as_bytes());
        // No token starts like this: a token is base64url and dots.
        let tag = hmac::sign(&key, format!("secret for: {purpose}").as_bytes());
        let mut secret = [0; 32];
        secret.copy_from_slice(tag.as_ref());
        secret
    }
}

/// As the library writes it. A check parses only a header that is written in another way.
fn encoded(header: &Header) -> String {
    serde_json::to_vec(header).map(|json| URL_SAFE_NO_PAD.encode(json)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_32_bytes_and_8_different_ones() {
        let secret = |length: u8, different: u8| (0..length).map(|byte| byte % different).collect::<Vec<u8>>();
        assert!(TokenKey::symmetric(&secret(32, 8)).is_ok());
        assert!(matches!(TokenKey::symmetric(&secret(31, 8)), Err(KeysError::ShortSecret(31))));
        assert!(matches!(TokenKey::symmetric(&secret(32, 7)), Err(KeysError::WeakSecret(7))));
    }
}
