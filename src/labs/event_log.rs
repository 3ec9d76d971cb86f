//! The events of a run, kept: a reader that comes late, or comes back, misses none.

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

/// A place in an event log: see [`EventLog::read_from`].
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
    pub fn push(&self, event: E) {
        let mut log = self.events();
        log.push(event);
        let events = log.len();
        drop(log);
        // Two tasks that push at once may come here in the other order.
        self.progress.send_modify(|progress| progress.events = progress.events.max(events));
    }

    /// Ends the log: readers get what is left, then `None`.
    pub fn end(&self) {
        self.progress.send_modify(|progress| progress.ended = true);
    }

    pub fn readers(&self) -> usize {
        self.progress.receiver_count()
    }

    /// Reads from the event with the number `next`.
    pub fn read_from(&self, next: usize) -> LogReader {
        LogReader { progress: self.progress.subscribe(), next }
    }

    /// Waits for events that `reader` has not seen, and returns them with the number of the first. `None`: the log ended.
    pub async fn next(&self, reader: &mut LogReader) -> Option<(usize, Vec<E>)> {
        let from = reader.next;
        let news = reader.progress.wait_for(|progress| progress.events > from || progress.ended).await;
        news.ok()?;
        let events = self.events().get(from..).unwrap_or_default().to_vec();
        reader.next += events.len();
        (!events.is_empty()).then_some((from, events))
    }

    /// All events so far.
    pub fn events(&self) -> MutexGuard<'_, Vec<E>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
