//! One key for each algorithm, made once for all tests: an RSA key takes longer to make than most tests take.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jwt_vs_session::auth::{Keys, SigningAlgorithm};

/// A key and the text of its file.
pub struct SigningKey {
    pub algorithm: SigningAlgorithm,
    pub keys: Arc<Keys>,
    pub text: String,
}

impl SigningKey {
    pub fn of(algorithm: SigningAlgorithm) -> Self {
        let file = key_file(algorithm);
        let keys = Arc::new(Keys::from_file(&file, algorithm).expect("a key"));
        Self { algorithm, keys, text: std::fs::read_to_string(&file).expect("a key file") }
    }
}

/// The key file is in Cargo's folder for files of tests. Processes that start at once share the first one's key.
pub fn key_file(algorithm: SigningAlgorithm) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("contract-{algorithm}.key"))
}
