//! The signature algorithms that a server can be started with.

use std::fmt;

use jsonwebtoken::Algorithm;

/// The algorithm that signs every token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SigningAlgorithm {
    /// HMAC with SHA-256 (RFC 7518, 3.2).
    #[value(name = "HS256")]
    Hs256,
    /// ECDSA on P-256 with SHA-256 (RFC 7518, 3.4).
    #[value(name = "ES256")]
    Es256,
    /// Ed25519 (RFC 8037).
    #[value(name = "EdDSA")]
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, 3.3).
    #[value(name = "RS256")]
    Rs256,
}

impl SigningAlgorithm {
    /// The value of `alg` in a token's header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Hs256 => Self::HS256,
            SigningAlgorithm::Es256 => Self::ES256,
            SigningAlgorithm::EdDsa => Self::EdDSA,
            SigningAlgorithm::Rs256 => Self::RS256,
        }
    }
}
