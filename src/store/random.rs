//! Random bytes for secrets, from the cryptographic generator.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::StoreError;

/// Makes a secret that nobody guesses: 256 random bits in base64url (43 characters).
pub fn random_secret() -> Result<String, StoreError> {
    random_bytes::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

pub(super) fn random_bytes<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    let filled = aws_lc_rs::rand::fill(&mut bytes);
    filled.map_err(|_| StoreError::unavailable("The random generator", "no bytes"))?;
    Ok(bytes)
}
