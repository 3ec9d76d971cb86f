//! The key that signs and checks every token: a secret, or a key file made at the first start.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use aws_lc_rs::{hmac, rsa};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, JwkSet, ThumbprintHash};
use jsonwebtoken::{EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::SigningAlgorithm;
use super::claims::TYPE;
use super::verifier::Verifier;

/// A key is at least as long as the output of the hash (RFC 7518, 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// Shorter than the output of the hash, in bytes.
    #[error("the JWT secret has {0} bytes; HS256 needs at least {MIN_SECRET_BYTES}")]
    ShortSecret(usize),
    /// A secret for an algorithm that has key pairs.
    #[error("--jwt-secret is for HS256; {0} takes its key from --jwt-key-file")]
    SecretForKeyPair(SigningAlgorithm),
    /// The key file cannot be read or written.
    #[error("the JWT key file {} cannot be used: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The key file holds something else.
    #[error("the JWT key file {} holds no {algorithm} key", path.display())]
    NotAKey { path: PathBuf, algorithm: SigningAlgorithm },
}

/// A key, ready to sign and to check.
pub struct Keys {
    algorithm: SigningAlgorithm,
    header: Header,
    /// The header of every token, in base64url.
    encoded_header: String,
    kid: String,
    encoding: EncodingKey,
    verifier: Verifier,
    public: JwkSet,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({} {})", self.algorithm, self.kid)
    }
}

impl Keys {
    /// Takes a secret of at least 32 bytes, for HS256.
    pub fn from_secret(secret: &SecretString) -> Result<Self, KeysError> {
        Self::symmetric(secret.expose_secret().as_bytes())
    }

    /// Reads a key file, and makes one of mode 0600 if there is none. Two nodes that start at once use the first one's.
    pub fn from_file(path: &Path, algorithm: SigningAlgorithm) -> Result<Self, KeysError> {
        let file = |source| KeysError::File { path: path.to_owned(), source };
        if !path.exists() {
            create(path, &generate(algorithm).map_err(file)?).map_err(file)?;
        }
        let text = std::fs::read_to_string(path).map_err(file)?;
        let not_a_key = || KeysError::NotAKey { path: path.to_owned(), algorithm };
        if algorithm == SigningAlgorithm::Hs256 {
            let secret = STANDARD.decode(text.trim()).map_err(|_| not_a_key())?;
            return Self::symmetric(&secret).map_err(|_| not_a_key());
        }
        Self::key_pair(&text, algorithm).map_err(|_| not_a_key())
    }

    fn symmetric(secret: &[u8]) -> Result<Self, KeysError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(KeysError::ShortSecret(secret.len()));
        }
        // Names the key, and says nothing else about it.
        let name = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"key id");
        let kid = URL_SAFE_NO_PAD.encode(&name.as_ref()[..6]);
        let header = header(SigningAlgorithm::Hs256, &kid);
        Ok(Self {
            algorithm: SigningAlgorithm::Hs256,
            encoded_header: encoded(&header),
            header,
            kid,
            encoding: EncodingKey::from_secret(secret),
            verifier: Verifier::of_secret(secret).ok_or(KeysError::ShortSecret(secret.len()))?,
            public: JwkSet { keys: Vec::new() },
        })
    }

    fn key_pair(pem: &str, algorithm: SigningAlgorithm) -> jsonwebtoken::errors::Result<Self> {
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
        let public = JwkSet { keys: vec![jwk] };
        let header = header(algorithm, &kid);
        Ok(Self { algorithm, encoded_header: encoded(&header), header, kid, encoding, verifier, public })
    }

    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The key's name: `kid` in a token's header.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public keys (RFC 7517); none for HS256, whose key is a secret.
    pub fn public(&self) -> &JwkSet {
        &self.public
    }

    /// Derives a secret for another purpose than tokens. It is the same on every node that has this key. The walk-through
    /// of `docs/tenth-strategy.md` uses it.
    pub fn derive_secret(&self, purpose: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.encoding.as_bytes());
        // No token starts like this: a token is base64url and dots.
        let tag = hmac::sign(&key, format!("secret for: {purpose}").as_bytes());
        let mut secret = [0; 32];
        secret.copy_from_slice(tag.as_ref());
        secret
    }

    /// The header of every token, in base64url.
    pub(super) fn header(&self) -> &str {
        &self.encoded_header
    }

    /// Whether the signature over the message was made with this key.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify(message, signature)
    }

    pub(super) fn sign(&self, claims: &impl Serialize) -> jsonwebtoken::errors::Result<String> {
        jsonwebtoken::encode(&self.header, claims, &self.encoding)
    }
}

fn header(algorithm: SigningAlgorithm, kid: &str) -> Header {
    let mut header = Header::new(algorithm.into());
    header.typ = Some(TYPE.to_owned());
    header.kid = Some(kid.to_owned());
    header
}

/// As the library writes it. A check parses only a header that is written in another way.
fn encoded(header: &Header) -> String {
    serde_json::to_vec(header).map(|json| URL_SAFE_NO_PAD.encode(json)).unwrap_or_default()
}

/// Makes the text of a new key file: base64 for HS256, PKCS #8 in PEM for the others.
fn generate(algorithm: SigningAlgorithm) -> io::Result<String> {
    let failed = |_| io::Error::other("no key could be generated");
    let der: Vec<u8> = match algorithm {
        SigningAlgorithm::Hs256 => {
            let mut secret = [0; MIN_SECRET_BYTES];
            aws_lc_rs::rand::fill(&mut secret).map_err(failed)?;
            return Ok(STANDARD.encode(secret) + "\n");
        }
        SigningAlgorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
            pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()
        }
        SigningAlgorithm::EdDsa => {
            Ed25519KeyPair::generate().map_err(failed)?.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()
        }
        SigningAlgorithm::Rs256 => {
            let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(failed)?;
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?.as_ref().to_vec()
        }
    };
    let lines: Vec<String> =
        STANDARD.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")))
}

/// Writes a file whole or not at all, with mode 0600, and never over another one.
fn create(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}
