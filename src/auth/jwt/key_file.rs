//! Key files: made for their owner only, and refused when others can read them.

use std::io::{self, Write as _};
use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::SigningAlgorithm;
use super::key_error::{KeysError, MIN_SECRET_BYTES};
use super::token_key::TokenKey;
use crate::store::is_readable_by_others;

/// New RSA keys are as strong as the other algorithms' keys. Shorter ones are accepted until 2030 (NIST SP 800-57, part 1,
/// tables 2 and 4).
const RSA_BITS: usize = 3072;

/// Reads the key of a file that only its owner can read.
pub(super) fn read(path: &Path, algorithm: SigningAlgorithm) -> Result<TokenKey, KeysError> {
    let file = |source| KeysError::File { path: path.to_owned(), source };
    let not_a_key = || KeysError::NotAKey { path: path.to_owned(), algorithm };
    if is_readable_by_others(path).map_err(file)? {
        return Err(KeysError::Readable { path: path.to_owned() });
    }
    let text = std::fs::read_to_string(path).map_err(file)?;
    if algorithm == SigningAlgorithm::Hs256 {
        let secret = STANDARD.decode(text.trim()).map_err(|_| not_a_key())?;
        let weak = |source| KeysError::Secret { path: path.to_owned(), source: Box::new(source) };
        return TokenKey::symmetric(&secret).map_err(weak);
    }
    let key = TokenKey::key_pair(&text, algorithm).map_err(|_| not_a_key())?;
    if let Some(bits) = key.rsa_bits().filter(|bits| *bits < RSA_BITS) {
        let path = path.display();
        tracing::warn!(
            "the JWT key file {path} has an RSA key of {bits} bits: replace it before 2031 (docs/deployment.md)"
        );
    }
    Ok(key)
}

/// Makes a key file, whole or not at all, with mode 0600. Keeps a file that is there already, and says so by `false`.
pub(super) fn create(path: &Path, algorithm: SigningAlgorithm) -> Result<bool, KeysError> {
    let created = generate(algorithm).and_then(|text| write(path, &text));
    created.map_err(|source| KeysError::File { path: path.to_owned(), source })
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
            let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa3072).map_err(failed)?;
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?.as_ref().to_vec()
        }
    };
    let lines: Vec<String> =
        STANDARD.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")))
}

fn write(path: &Path, text: &str) -> io::Result<bool> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new.key");
        assert!(create(&path, SigningAlgorithm::Hs256).expect("a key file"));
        let text = std::fs::read(&path).expect("a key file");
        assert!(!create(&path, SigningAlgorithm::Hs256).expect("the file is kept"), "of two nodes one makes it");
        assert_eq!(std::fs::read(&path).expect("a key file"), text);
        let name_too_long = folder.path().join("x".repeat(300));
        assert!(create(&name_too_long, SigningAlgorithm::Hs256).is_err(), "there is no such file");
    }
}
