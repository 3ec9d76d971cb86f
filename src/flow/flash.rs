//! Keeps what a POST leaves for the next page. A POST answers with a redirect: the next page shows its trace, and what it
//! did.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::identity::LoginId;

/// The maximum number of messages. A browser fetches its own within milliseconds.
const KEPT: usize = 256;

/// The messages, each under a random name that only its browser knows. In process memory.
#[derive(Debug)]
pub struct FlashMessages<T>(Mutex<VecDeque<(String, T)>>);

impl<T> Default for FlashMessages<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> FlashMessages<T> {
    /// Keeps a message and returns its name.
    pub fn keep(&self, message: T) -> String {
        let name = LoginId::random().to_string();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((name.clone(), message));
        name
    }

    /// Returns a message and keeps it: a reload shows it again.
    pub fn get(&self, name: &str) -> Option<T> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(kept, _)| kept == name).map(|(_, message)| message.clone())
    }

    /// Removes a message and returns it.
    pub fn take(&self, name: &str) -> Option<T> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(kept, _)| kept == name)?;
        kept.remove(place).map(|(_, message)| message)
    }
}
