//! Keeps the traces of the latest POSTs. A POST answers with a redirect: the next page shows its trace.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::identity::LoginId;
use minijinja::Value;

/// The maximum number of traces. A browser fetches its own within milliseconds.
const KEPT: usize = 256;

/// The traces, each under a random name that only its browser knows. In process memory; each is shown once.
#[derive(Debug, Default)]
pub struct FlashTraces(Mutex<VecDeque<(String, Value)>>);

impl FlashTraces {
    /// Keeps a panel and returns its name.
    pub fn keep(&self, panel: Value) -> String {
        let name = LoginId::random().to_string();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((name.clone(), panel));
        name
    }

    /// Removes a panel and returns it.
    pub fn take(&self, name: &str) -> Option<Value> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(kept, _)| kept == name)?;
        kept.remove(place).map(|(_, panel)| panel)
    }
}
