//! What the latest POSTs did. A POST answers with a redirect and has no page of its own: the page that follows shows it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::identity::LoginId;
use minijinja::Value;

/// How many are kept. A browser asks for its own within milliseconds.
const KEPT: usize = 256;

/// The latest POSTs, each under a random name that only its browser knows. In this process, shown once.
#[derive(Debug, Default)]
pub struct FlashTraces(Mutex<VecDeque<(String, Value)>>);

impl FlashTraces {
    /// Keeps a panel and names it.
    pub fn keep(&self, panel: Value) -> String {
        let name = LoginId::random().to_string();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((name.clone(), panel));
        name
    }

    /// Takes a panel away by its name.
    pub fn take(&self, name: &str) -> Option<Value> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(kept, _)| kept == name)?;
        kept.remove(place).map(|(_, panel)| panel)
    }
}
