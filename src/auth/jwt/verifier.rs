//! Checks signatures with a key that is prepared once.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, VerificationAlgorithm,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::EncodingKey;
use sha2::Sha256;

use super::SigningAlgorithm;

/// Checks signatures of one algorithm with one key.
pub(super) enum Verifier {
    /// The state of the hash after the padded key.
    Hmac(Hmac<Sha256>),
    /// A point or a modulus, parsed.
    Public(ParsedPublicKey),
}

impl Verifier {
    /// Prepares an HMAC key. Never `None`: HMAC takes keys of any length (RFC 2104, 3).
    pub fn of_secret(secret: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(secret).ok().map(Self::Hmac)
    }

    /// Prepares the public half of a key pair; `None` if the pair is not one of this algorithm.
    pub fn of_key_pair(algorithm: SigningAlgorithm, pair: &EncodingKey) -> Option<Self> {
        let (der, parse) = (pair.as_bytes(), |algorithm: &'static dyn VerificationAlgorithm, key: &[u8]| {
            ParsedPublicKey::new(algorithm, key).ok().map(Self::Public)
        });
        match algorithm {
            SigningAlgorithm::Hs256 => None,
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok()?;
                parse(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())
            }
            SigningAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(der).ok()?;
                parse(&ED25519, pair.public_key().as_ref())
            }
            SigningAlgorithm::Rs256 => {
                let pair = RsaKeyPair::from_der(der).ok()?;
                parse(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
            }
        }
    }

    /// Whether the signature matches. Takes constant time where the key is a secret.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => {
                let mut hash = key.clone();
                hash.update(message);
                hash.verify_slice(signature).is_ok()
            }
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}
