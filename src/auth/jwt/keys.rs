//! The keys of every token. The first signs, all verify: so a key can be replaced and no login is lost.

use std::fmt;
use std::path::{Path, PathBuf};

use jsonwebtoken::jwk::JwkSet;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::SigningAlgorithm;
use super::key_error::KeysError;
use super::key_file;
use super::token_key::TokenKey;

/// The key that signs, and those that only verify.
pub struct Keys {
    signing: TokenKey,
    /// During a rotation: the key before, or the one to come.
    others: Vec<TokenKey>,
    public: JwkSet,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({} {})", self.algorithm(), self.kids().collect::<Vec<_>>().join(" "))
    }
}

impl Keys {
    /// Takes a secret of at least 32 bytes, for HS256.
    pub fn from_secret(secret: &SecretString) -> Result<Self, KeysError> {
        Ok(Self::new(TokenKey::symmetric(secret.expose_secret().as_bytes())?, Vec::new()))
    }

    /// Reads a key file, and makes one of mode 0600 if there is none. Two nodes that start at once use the first one's.
    pub fn from_file(path: &Path, algorithm: SigningAlgorithm) -> Result<Self, KeysError> {
        if !path.exists() {
            key_file::create(path, algorithm)?;
        }
        Ok(Self::new(key_file::read(path, algorithm)?, Vec::new()))
    }

    /// Reads several key files of one algorithm (RFC 8725, 3.1): the first signs, all verify. A single one may be
    /// missing, as for [`Keys::from_file`]; of several, each must exist and hold a key of its own.
    pub fn from_files(paths: &[PathBuf], algorithm: SigningAlgorithm) -> Result<Self, KeysError> {
        if let [path] = paths {
            return Self::from_file(path, algorithm);
        }
        let mut keys: Vec<TokenKey> = Vec::new();
        for path in paths {
            if !path.exists() {
                return Err(KeysError::Missing { path: path.clone() });
            }
            let key = key_file::read(path, algorithm)?;
            if let Some(same) = keys.iter().position(|other| other.kid() == key.kid()) {
                return Err(KeysError::Same { one: paths[same].clone(), other: path.clone() });
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        Ok(Self::new(keys.next().ok_or(KeysError::NoFile)?, keys.collect()))
    }

    /// Makes a new key file of mode 0600. Fails if there is a file.
    pub fn create_file(path: &Path, algorithm: SigningAlgorithm) -> Result<(), KeysError> {
        if key_file::create(path, algorithm)? { Ok(()) } else { Err(KeysError::Exists { path: path.to_owned() }) }
    }

    fn new(signing: TokenKey, others: Vec<TokenKey>) -> Self {
        let all = std::iter::once(&signing).chain(&others);
        let public = JwkSet { keys: all.filter_map(TokenKey::public).cloned().collect() };
        Self { signing, others, public }
    }

    /// Every key; the first signs.
    pub(super) fn all(&self) -> impl Iterator<Item = &TokenKey> {
        std::iter::once(&self.signing).chain(&self.others)
    }

    pub fn algorithm(&self) -> SigningAlgorithm {
        self.signing.algorithm()
    }

    /// The name of the key that signs: `kid` in a token's header.
    pub fn kid(&self) -> &str {
        self.signing.kid()
    }

    /// The names of all keys. The first signs.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.all().map(TokenKey::kid)
    }

    /// What the server holds instead of logins, in words.
    pub(super) fn summary(&self) -> String {
        let (algorithm, kid) = (self.algorithm(), self.kid());
        let others: Vec<_> = self.kids().skip(1).collect();
        if others.is_empty() {
            return format!("one key for all tokens: {algorithm} with kid {kid}");
        }
        format!("the keys of all tokens: {algorithm} with kid {kid} signs; kid {} only verifies", others.join(", "))
    }

    /// The public keys (RFC 7517); none for HS256, whose keys are secrets.
    pub fn public(&self) -> &JwkSet {
        &self.public
    }

    /// Derives secrets for another purpose than tokens, one from each key. Make values with the first, and check them
    /// with each: so a value outlives a rotation. `docs/tenth-strategy.md` uses it.
    pub fn derive_secrets(&self, purpose: &str) -> Vec<[u8; 32]> {
        self.all().map(|key| key.derive_secret(purpose)).collect()
    }

    pub(super) fn sign(&self, claims: &impl Serialize) -> jsonwebtoken::errors::Result<String> {
        self.signing.sign(claims)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn files(algorithm: SigningAlgorithm) -> (tempfile::TempDir, [PathBuf; 2]) {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = ["old.key", "new.key"].map(|name| folder.path().join(name));
        for path in &paths {
            Keys::create_file(path, algorithm).expect("a key file");
        }
        (folder, paths)
    }

    #[test]
    fn the_first_key_signs_and_the_set_shows_all_public_ones() {
        for (algorithm, shown) in [(SigningAlgorithm::EdDsa, 2), (SigningAlgorithm::Hs256, 0)] {
            let (_folder, [old, new]) = files(algorithm);
            let kid = |path: &PathBuf| Keys::from_file(path, algorithm).expect("a key").kid().to_owned();
            let keys = Keys::from_files(&[new.clone(), old.clone()], algorithm).expect("keys");
            assert_eq!(keys.kids().collect::<Vec<_>>(), [kid(&new), kid(&old)]);
            assert_eq!(keys.kid(), kid(&new));
            assert_eq!(keys.public().keys.len(), shown);
        }
    }

    #[test]
    fn a_missing_key_file_is_made_and_then_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new.key");
        let key = || Keys::from_files(std::slice::from_ref(&path), SigningAlgorithm::Hs256).expect("a key");
        assert_eq!(key().kid(), key().kid());
    }

    /// A cookie that another part of the server made before a rotation.
    #[test]
    fn a_secret_derived_before_a_rotation_is_still_known() {
        let (_folder, [old, new]) = files(SigningAlgorithm::Hs256);
        let derived = |paths: &[PathBuf]| {
            Keys::from_files(paths, SigningAlgorithm::Hs256).expect("keys").derive_secrets("cookie")
        };
        let (before, after) = (derived(std::slice::from_ref(&old)), derived(&[new, old]));
        assert_eq!(after[1], before[0]);
        assert_ne!(after[0], before[0]);
    }

    #[test]
    fn files_that_make_no_rotation_are_refused() {
        let (folder, [old, new]) = files(SigningAlgorithm::Es256);
        let refused = |paths: &[&PathBuf], words: &str| {
            let paths: Vec<_> = paths.iter().map(|path| (*path).clone()).collect();
            let error = Keys::from_files(&paths, SigningAlgorithm::Es256).expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        };
        refused(&[], "names no file");
        refused(&[&old, &old], "hold the same key");
        let missing = folder.path().join("missing.key");
        refused(&[&new, &missing], "missing.key is missing; of several, each must exist");
        assert!(!missing.exists());
        let other = folder.path().join("other.key");
        Keys::create_file(&other, SigningAlgorithm::EdDsa).expect("a key file");
        refused(&[&new, &other], "other.key holds no ES256 key");
        std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o644)).expect("chmod");
        refused(&[&new, &old], "old.key; run: chmod 600");
        let text = std::fs::read(&new).expect("a key file");
        assert!(Keys::create_file(&new, SigningAlgorithm::Es256).is_err(), "a key would be lost");
        assert_eq!(std::fs::read(&new).expect("a key file"), text);
    }

    #[test]
    fn new_rsa_keys_have_3072_bits_and_older_ones_go_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rsa.key");
        Keys::create_file(&path, SigningAlgorithm::Rs256).expect("a key file");
        assert_eq!(key_file::read(&path, SigningAlgorithm::Rs256).expect("a key").rsa_bits(), Some(3072));
    }
}
