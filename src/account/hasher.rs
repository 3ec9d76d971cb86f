//! argon2id, a few hashes at a time: each takes 19 MiB and a processor, and anybody may ask for one.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::NewPassword;
use super::password::{normalised, plausible};

/// How long a request waits for a free slot. Waiting takes no memory to speak of.
const PATIENCE: Duration = Duration::from_secs(2);

/// No slot became free in time, or hashing failed.
#[derive(Debug, thiserror::Error)]
pub enum Busy {
    /// Too many at once.
    #[error("too many passwords are being checked at once")]
    Full,
    /// The hash function itself failed.
    #[error("a password could not be hashed: {0}")]
    Failed(String),
}

/// Hashes and checks passwords with OWASP's parameters for argon2id (19 MiB, 2 passes, 1 lane), which are the defaults
/// of the argon2 crate.
#[derive(Clone)]
pub struct Hasher {
    slots: Arc<Semaphore>,
    /// What an unknown user's password is checked against, so that it takes as long as a known one's.
    dummy: Arc<str>,
}

impl Hasher {
    /// At most `slots` hashes at once.
    pub fn new(slots: usize) -> Result<Self, Busy> {
        let dummy = hash(&SecretString::from("nobody's password"))?;
        Ok(Self { slots: Arc::new(Semaphore::new(slots)), dummy: dummy.into() })
    }

    /// One processor is left to those who do not log in.
    pub fn default_slots() -> usize {
        std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1))
    }

    /// Checks the form of a new password and hashes it: a PHC string, or the sentence that says what is wrong.
    pub async fn hash(&self, password: SecretString, user_name: String) -> Result<Result<String, String>, Busy> {
        self.blocking(move || match NewPassword::parse(&password, &user_name) {
            Ok(password) => hash(password.secret()).map(Ok),
            Err(sentence) => Ok(Err(sentence)),
        })
        .await
    }

    /// Whether the password matches `stored`. `None`, for an unknown user, takes as long and is false.
    pub async fn verify(&self, password: SecretString, stored: Option<String>) -> Result<bool, Busy> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.to_string());
        let matches = self.blocking(move || Ok(plausible(&password) & verify(&password, &stored))).await?;
        Ok(known & matches)
    }

    /// The slot is held by the work and not by the request: a visitor who goes away does not free it.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Busy> + Send + 'static,
    ) -> Result<T, Busy> {
        let slot = timeout(PATIENCE, self.slots.clone().acquire_owned()).await.map_err(|_| Busy::Full)?;
        let slot = slot.map_err(|_| Busy::Full)?;
        let task = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(slot);
            done
        });
        task.await.map_err(|error| Busy::Failed(error.to_string()))?
    }
}

fn hash(password: &SecretString) -> Result<String, Busy> {
    let hash = Argon2::default().hash_password(password.expose_secret().as_bytes());
    Ok(hash.map_err(|error| Busy::Failed(error.to_string()))?.to_string())
}

/// A password that is too long to be one is checked like any other, cut off: the time tells nothing.
fn verify(password: &SecretString, stored: &str) -> bool {
    let password = if plausible(password) { normalised(password) } else { SecretString::from("") };
    PasswordHash::new(stored)
        .is_ok_and(|stored| Argon2::default().verify_password(password.expose_secret().as_bytes(), &stored).is_ok())
}
