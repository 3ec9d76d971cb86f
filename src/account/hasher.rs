//! Hashes passwords with argon2id, a few at a time: each takes 19 MiB and a processor, and anybody can request one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::password::{fits, normalised};
use super::{NewPassword, RejectedPassword};

/// How long a request waits for a free slot. Waiting takes next to no memory.
const SLOT_TIMEOUT: Duration = Duration::from_secs(2);

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// No slot became free in time.
    #[error("too many passwords are being checked at once")]
    Busy,
    /// The hash function failed.
    #[error("a password could not be hashed: {0}")]
    Failed(String),
    /// The new password failed its check: the user's fault, unlike the others.
    #[error(transparent)]
    Rejected(#[from] RejectedPassword),
}

/// Hashes and checks passwords with OWASP's parameters for argon2id (19 MiB, 2 passes, 1 lane), which are the defaults
/// of the argon2 crate.
#[derive(Clone)]
pub struct Hasher {
    slots: Arc<Semaphore>,
    /// The working memory of each slot. If every hash freed its memory, the allocator would keep 19 MiB for each thread
    /// that ever ran one.
    memory: Arc<Mutex<Vec<HashMemory>>>,
    /// The fewest characters of a new password.
    minimum: usize,
    /// The hash for unknown users: a check takes as long as for a known user.
    dummy: Arc<str>,
}

impl Hasher {
    /// At most `slots` hashes at once. New passwords have at least `minimum` characters.
    pub fn new(slots: usize, minimum: usize) -> Result<Self, HashError> {
        let mut memory = HashMemory::new();
        let dummy = hash(&SecretString::from("nobody's password"), &mut memory)?;
        Ok(Self {
            slots: Arc::new(Semaphore::new(slots)),
            memory: Arc::new(Mutex::new(vec![memory])),
            minimum,
            dummy: dummy.into(),
        })
    }

    /// One slot for each processor but one: that one serves the requests that hash nothing.
    pub fn default_slots() -> usize {
        std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1))
    }

    /// The fewest characters of a new password.
    pub fn password_min(&self) -> usize {
        self.minimum
    }

    /// Checks a new password and hashes it. Returns a PHC string.
    pub async fn hash(&self, password: SecretString, user_name: String) -> Result<String, HashError> {
        let minimum = self.minimum;
        self.blocking(move |memory| hash(NewPassword::parse(&password, &user_name, minimum)?.secret(), memory)).await
    }

    /// Whether the password matches the hash `stored`. An unknown user has none: the check takes as long, and is false.
    pub async fn verify(&self, password: SecretString, stored: Option<String>) -> Result<bool, HashError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.to_string());
        let matches = self.blocking(move |memory| Ok(verify(&password, &stored, memory)));
        let matches = matches.await?;
        Ok(known & matches)
    }

    /// Runs `work` in a slot. The work holds the slot, not the request: a client that disconnects does not free it.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut HashMemory) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let slot = timeout(SLOT_TIMEOUT, self.slots.clone().acquire_owned()).await.map_err(|_| HashError::Busy)?;
        let slot = slot.map_err(|_| HashError::Busy)?;
        let pool = self.memory.clone();
        let task = tokio::task::spawn_blocking(move || {
            let free = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut memory = free.unwrap_or_default();
            let done = work(&mut memory);
            pool.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            drop(slot);
            done
        });
        task.await.map_err(|error| HashError::Failed(error.to_string()))?
    }
}

/// What argon2 works in.
type HashMemory = Vec<Block>;

fn hash(password: &SecretString, memory: &mut HashMemory) -> Result<String, HashError> {
    let failed = |error: &dyn std::error::Error| HashError::Failed(error.to_string());
    let (salt, params) = (Salt::generate(), Params::default());
    let hash = derive(password, &salt, &params, memory).map_err(|error| failed(&error))?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(|error| failed(&error))?,
        salt: Some(salt),
        hash: Some(hash),
    };
    Ok(hash.to_string())
}

/// Checks an overlong password like any other, as the empty one: the time tells nothing.
fn verify(password: &SecretString, stored: &str, memory: &mut HashMemory) -> bool {
    let normalised = normalised(password);
    let fits = fits(&normalised);
    let password = if fits { normalised } else { SecretString::from("") };
    let Ok(stored) = PasswordHash::new(stored) else { return false };
    let (Some(salt), Some(expected), Ok(params)) = (&stored.salt, &stored.hash, Params::try_from(&stored)) else {
        return false;
    };
    // An `Output` compares in constant time.
    stored.algorithm == Algorithm::Argon2id.ident()
        && derive(&password, salt, &params, memory).is_ok_and(|hash| hash == *expected)
        && fits
}

fn derive(password: &SecretString, salt: &[u8], params: &Params, memory: &mut HashMemory) -> argon2::Result<Output> {
    memory.resize(params.block_count(), Block::default());
    let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    argon2.hash_password_into_with_memory(password.expose_secret().as_bytes(), salt, &mut out, memory)?;
    Output::new(&out).map_err(|_| argon2::Error::OutputTooLong)
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHasher as _, PasswordVerifier as _};

    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_hash_is_the_same_in_memory_that_was_used_before() {
        let mut memory = HashMemory::new();
        for password in ["käse-und-brot", "käse-und-brot", "something else"] {
            let ours = hash(&secret(password), &mut memory).expect("a hash");
            assert!(ours.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "OWASP's parameters: {ours}");
            assert!(Argon2::default().verify_password(password.as_bytes(), ours.as_str()).is_ok(), "{ours}");
            let theirs = Argon2::default().hash_password(password.as_bytes()).expect("a hash").to_string();
            assert!(verify(&secret(password), &theirs, &mut memory));
            assert!(!verify(&secret("wrong"), &theirs, &mut memory) && !verify(&secret(password), "", &mut memory));
        }
    }

    #[tokio::test]
    async fn an_unknown_user_waits_for_the_same_work_as_a_known_one() {
        let hasher = Hasher::new(0, 8).expect("a hasher");
        assert!(hasher.dummy.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hasher.dummy);
        assert!(matches!(hasher.verify(secret("a password"), None).await, Err(HashError::Busy)));
    }

    #[tokio::test]
    async fn an_unknown_user_has_no_password_at_all() {
        let hasher = Hasher::new(1, 8).expect("a hasher");
        assert!(!hasher.verify(secret("nobody's password"), None).await.expect("an answer"));
        assert!(hasher.verify(secret("nobody's password"), Some(hasher.dummy.to_string())).await.expect("an answer"));
    }
}
