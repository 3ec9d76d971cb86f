//! One key for each algorithm, made once.

use std::sync::{Arc, LazyLock};

use jwt_vs_session::auth::Keys;
use jwt_vs_session::auth::SigningAlgorithm::{self, EdDsa, Es256, Hs256, Rs256};

/// A key and the text of its file.
pub struct SigningKey {
    pub algorithm: SigningAlgorithm,
    pub keys: Arc<Keys>,
    pub text: String,
}

static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = [Hs256, Es256, EdDsa, Rs256].map(|algorithm| {
        let file = folder.path().join(algorithm.name());
        let keys = Arc::new(Keys::from_file(&file, algorithm).expect("a key"));
        SigningKey { algorithm, keys, text: std::fs::read_to_string(&file).expect("a key file") }
    });
    keys.into()
});

/// One key for each algorithm.
pub fn signing_keys() -> &'static [SigningKey] {
    &KEYS
}

pub fn key_of(algorithm: SigningAlgorithm) -> &'static SigningKey {
    KEYS.iter().find(|key| key.algorithm == algorithm).expect("a key for each algorithm")
}
