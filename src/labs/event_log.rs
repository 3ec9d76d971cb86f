//! What happens in a run, kept: whoever listens later, or again, misses nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The events of one run, in order.
#[derive(Debug)]
pub struct EventLog<E> {
    log: Mutex<Vec<E>>,
    progress: watch::Sender<Progress>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    events: usize,
    ended: bool,
}

/// Somebody who watches.
#[derive(Debug)]
pub struct LogReader {
    progress: watch::Receiver<Progress>,
    next: usize,
}

impl<E> Default for EventLog<E> {
    fn default() -> Self {
        Self { log: Mutex::default(), progress: watch::Sender::default() }
    }
}

impl<E: Clone> EventLog<E> {
    /// Adds an event.
    pub fn push(&self, event: E) {
        let mut log = self.events();
        log.push(event);
        let events = log.len();
        drop(log);
        // Two tellers may meet here in the other order.
        self.progress.send_modify(|progress| progress.events = progress.events.max(events));
    }

    /// Nothing more will happen.
    pub fn end(&self) {
        self.progress.send_modify(|progress| progress.ended = true);
    }

    /// How many watch.
    pub fn watchers(&self) -> usize {
        self.progress.receiver_count()
    }

    /// Watches from the event `next` on.
    pub fn read_from(&self, next: usize) -> LogReader {
        LogReader { progress: self.progress.subscribe(), next }
    }

    /// The events that `listener` has not seen, with the number of the first; waits for one. `None`: it is over.
    pub async fn next(&self, listener: &mut LogReader) -> Option<(usize, Vec<E>)> {
        let from = listener.next;
        let news = listener.progress.wait_for(|progress| progress.events > from || progress.ended).await;
        news.ok()?;
        let events = self.events().get(from..).unwrap_or_default().to_vec();
        listener.next += events.len();
        (!events.is_empty()).then_some((from, events))
    }

    /// All of them so far.
    pub fn events(&self) -> MutexGuard<'_, Vec<E>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
