//! The runs of a server: a limited number at once, each found by its id, all stopped when the server stops.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::identity::LoginId;
use crate::store::StoreError;

/// How long [`Runs::close`] waits for runs to revoke their logins.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartRunError {
    /// The stores that the run needs cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Every slot is taken.
    #[error("the maximum number of experiments is already running")]
    Full,
    /// The server stops.
    #[error("the server stops")]
    Closing,
}

/// An experiment that a page watches.
pub trait Run: Send + Sync + 'static {
    /// Tells the pages that watch the run that it is over.
    fn end(&self);
}

/// Whether [`Runs::find`] finds a run that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterEnd {
    /// It does not.
    Forget,
    /// It does, until another run takes the slot.
    Keep,
}

/// Slots for runs.
pub struct Runs<R: Run> {
    slots: Arc<watch::Sender<Vec<Slot<R>>>>,
    after_end: AfterEnd,
    closing: watch::Sender<bool>,
}

struct Slot<R> {
    is_running: bool,
    latest: Option<(String, Arc<R>)>,
}

impl<R> Slot<R> {
    fn running(&self) -> Option<&Arc<R>> {
        self.latest.as_ref().filter(|_| self.is_running).map(|(_, run)| run)
    }
}

/// A run's slot. Dropping it ends the run and frees the slot, however the run ended.
pub struct RunSlot<R: Run> {
    slots: Arc<watch::Sender<Vec<Slot<R>>>>,
    after_end: AfterEnd,
    closing: watch::Receiver<bool>,
    run: Arc<R>,
    number: usize,
}

impl<R: Run> Runs<R> {
    /// `slots` is how many runs there may be at once.
    pub fn new(slots: usize, after_end: AfterEnd) -> Self {
        let free = || Slot { is_running: false, latest: None };
        let slots = Arc::new(watch::Sender::new((0..slots).map(|_| free()).collect()));
        Self { slots, after_end, closing: watch::Sender::new(false) }
    }

    /// Takes a free slot for the run that `make` makes from its id, which nobody can guess.
    pub fn enter(&self, make: impl FnOnce(String) -> R) -> Result<RunSlot<R>, StartRunError> {
        if *self.closing.borrow() {
            return Err(StartRunError::Closing);
        }
        let id = LoginId::random().to_string();
        let run = Arc::new(make(id.clone()));
        let mut taken = None;
        self.slots.send_if_modified(|slots| {
            taken = slots.iter().position(|slot| !slot.is_running);
            let Some(slot) = taken.and_then(|number| slots.get_mut(number)) else { return false };
            *slot = Slot { is_running: true, latest: Some((id, run.clone())) };
            true
        });
        let number = taken.ok_or(StartRunError::Full)?;
        let (slots, closing) = (self.slots.clone(), self.closing.subscribe());
        Ok(RunSlot { slots, after_end: self.after_end, closing, run, number })
    }

    /// The run with this id.
    pub fn find(&self, id: &str) -> Option<Arc<R>> {
        let slots = self.slots.borrow();
        slots.iter().filter_map(|slot| slot.latest.as_ref()).find(|(known, _)| known == id).map(|(_, run)| run.clone())
    }

    /// A run that is not over, if there is one.
    pub fn running(&self) -> Option<Arc<R>> {
        self.slots.borrow().iter().find_map(Slot::running).cloned()
    }

    /// Lets no run start, stops those that run, and waits up to 5 s for them to revoke their logins.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        let mut slots = self.slots.subscribe();
        let all_free = slots.wait_for(|slots| slots.iter().all(|slot| !slot.is_running));
        if timeout(CLOSE_LIMIT, all_free).await.is_err() {
            tracing::warn!("an experiment did not revoke its logins in time: they expire");
        }
    }
}

impl<R: Run> RunSlot<R> {
    pub fn run(&self) -> &Arc<R> {
        &self.run
    }

    /// No other run has this number at the same time: 0 up to the number of slots.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Ends when the server stops.
    pub fn closing(&self) -> impl Future<Output = ()> + Send + use<R> {
        let mut closing = self.closing.clone();
        async move {
            let _ = closing.wait_for(|closing| *closing).await;
        }
    }
}

impl<R: Run> Drop for RunSlot<R> {
    fn drop(&mut self) {
        self.slots.send_modify(|slots| {
            let Some(slot) = slots.get_mut(self.number) else { return };
            slot.is_running = false;
            if self.after_end == AfterEnd::Forget {
                slot.latest = None;
            }
        });
        self.run.end();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    struct Nothing(String);

    impl Run for Nothing {
        fn end(&self) {}
    }

    #[test]
    fn slots_are_taken_and_freed() {
        let runs = Runs::new(2, AfterEnd::Forget);
        let first = runs.enter(Nothing).expect("a slot");
        let second = runs.enter(Nothing).expect("a slot");
        assert!(matches!(runs.enter(Nothing), Err(StartRunError::Full)));
        assert_eq!((first.number(), second.number()), (0, 1));
        let id = first.run().0.clone();
        assert!(runs.find(&id).is_some() && runs.find("unknown").is_none());
        drop(first);
        assert!(runs.find(&id).is_none() && runs.running().is_some());
        assert_eq!(runs.enter(Nothing).expect("a slot").number(), 0);
    }

    #[test]
    fn a_kept_run_is_found_after_its_end_until_the_next_one() {
        let runs = Runs::new(1, AfterEnd::Keep);
        let slot = runs.enter(Nothing).expect("a slot");
        let id = slot.run().0.clone();
        drop(slot);
        assert!(runs.find(&id).is_some() && runs.running().is_none());
        let _next = runs.enter(Nothing).expect("a slot");
        assert!(runs.find(&id).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn closing_stops_runs_and_waits_for_them_but_not_for_ever() {
        let runs = Runs::new(2, AfterEnd::Forget);
        let slot = runs.enter(Nothing).expect("a slot");
        tokio::spawn(async move {
            slot.closing().await;
            drop(slot);
        });
        runs.close().await;
        assert!(runs.running().is_none() && matches!(runs.enter(Nothing), Err(StartRunError::Closing)));
        let runs = Runs::new(1, AfterEnd::Forget);
        let (_stuck, begun) = (runs.enter(Nothing).expect("a slot"), Instant::now());
        runs.close().await;
        assert_eq!(begun.elapsed(), CLOSE_LIMIT);
    }
}
