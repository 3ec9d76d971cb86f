//! What one request did: the credential that it presented, each step with its time, each cookie set, the verdict.
//!
//! The request context makes one [`Trace`] and hands it down. A trace does no I/O. The page shows it as a panel
//! (`page/panel.rs`), the answer as the `Server-Timing` header (`server_timing.rs`). A trace that is off keeps nothing and
//! reads no clock. `record.rs` holds the data, `store_calls.rs` counts the calls to a store.

mod record;
mod server_timing;
mod store_calls;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::record::Exhibit;
pub use self::record::{
    Attribute, CookieSet, HeldData, ShownCredential, Step, StepKind, TraceRecord, TraceText, Verdict, VerdictKind,
};
pub use self::store_calls::count_store_call;

#[derive(Debug)]
struct TraceInner {
    started: Instant,
    record: Mutex<TraceRecord>,
}

/// Records what one request does. Clones write to the same record.
#[derive(Clone, Debug, Default)]
pub struct Trace(Option<Arc<TraceInner>>);

/// A running stopwatch. It never starts when the trace is off.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Timer(Option<Instant>);

impl Trace {
    /// Starts a record.
    pub fn on() -> Self {
        Self(Some(Arc::new(TraceInner { started: Instant::now(), record: Mutex::default() })))
    }

    /// Keeps nothing, measures nothing.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Starts the stopwatch of the next step.
    pub fn timer(&self) -> Timer {
        Timer(self.0.is_some().then(Instant::now))
    }

    /// Ends a step that calls no store. `words` name it, and are only called when the trace is on.
    pub fn step<W: Into<TraceText>>(&self, kind: StepKind, timer: Timer, words: impl FnOnce() -> W) {
        if let (Some(mut record), Some(begun)) = (self.record(), timer.0) {
            record.steps.push(Step { kind, words: words().into(), took: begun.elapsed(), calls: 0 });
        }
    }

    /// Carries out `work` as one step: measures its time and counts its store calls. `words` name the step, and are only
    /// called when the trace is on.
    pub async fn timed<T, W: Into<TraceText>>(
        &self,
        kind: StepKind,
        words: impl FnOnce(&T) -> W,
        work: impl Future<Output = T>,
    ) -> T {
        if self.0.is_none() {
            return work.await;
        }
        let begun = Instant::now();
        let (outcome, calls) = store_calls::counted(work).await;
        let took = begun.elapsed();
        self.with(|record| record.steps.push(Step { kind, words: words(&outcome).into(), took, calls }));
        outcome
    }

    /// Notes a credential that came with the request.
    pub fn credential(&self, name: impl Into<TraceText>, via: impl Into<TraceText>, value: &str) {
        self.with(|record| {
            let credential =
                ShownCredential { name: name.into(), via: via.into(), masked: mask(value), bytes: value.len() };
            record.credentials.push(credential);
        });
    }

    /// Notes a cookie that the answer sets.
    pub fn cookie(&self, cookie: CookieSet) {
        self.with(|record| record.cookies.push(cookie));
    }

    /// Notes why the server refused the credential, for the verdict.
    pub fn refused(&self, reason: impl Into<TraceText>) {
        self.with(|record| record.refusal = Some(reason.into()));
    }

    /// Notes the decision; the last one counts.
    pub fn verdict(&self, verdict: Verdict) {
        self.with(|record| record.verdict = verdict);
    }

    /// Notes what the browser holds of the login. `prepare` is only called when the trace is on, and the function that it
    /// returns only when a page shows it.
    pub fn browser_holds<F: Fn() -> HeldData + Send + Sync + 'static>(&self, prepare: impl FnOnce() -> F) {
        self.with(|record| record.browser = Some(Exhibit(Arc::new(prepare()))));
    }

    /// Notes what the server holds of the login, in the same way.
    pub fn server_holds<F: Fn() -> HeldData + Send + Sync + 'static>(&self, prepare: impl FnOnce() -> F) {
        self.with(|record| record.server = Some(Exhibit(Arc::new(prepare()))));
    }

    /// Why the credential was refused, if it was.
    pub fn refusal(&self) -> Option<TraceText> {
        self.record()?.refusal.clone()
    }

    /// Commands to Redis and statements to the SQL database, so far.
    pub fn store_calls(&self) -> usize {
        self.record().map(|record| record.steps.iter().map(|step| step.calls).sum()).unwrap_or_default()
    }

    /// What the browser and the server hold of the login, as far as the strategy noted it.
    pub fn held(&self) -> (Option<HeldData>, Option<HeldData>) {
        let exhibits = self.record().map(|record| (record.browser.clone(), record.server.clone()));
        let shown = |exhibit: Option<Exhibit>| exhibit.map(|exhibit| exhibit.0());
        exhibits.map(|(browser, server)| (shown(browser), shown(server))).unwrap_or_default()
    }

    /// Reads the record, and the time since the request came. `None` when the trace is off.
    pub fn read<T>(&self, read: impl FnOnce(&TraceRecord, Duration) -> T) -> Option<T> {
        let total = self.0.as_ref()?.started.elapsed();
        self.record().map(|record| read(&record, total))
    }

    fn with(&self, write: impl FnOnce(&mut TraceRecord)) {
        if let Some(mut record) = self.record() {
            write(&mut record);
        }
    }

    fn record(&self) -> Option<MutexGuard<'_, TraceRecord>> {
        self.0.as_ref().map(|inner| inner.record.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The first and the last characters of a secret: enough to recognise it, too little to use it.
///
/// At most a quarter of the value is shown, and never more than ten characters.
pub fn mask(secret: &str) -> String {
    let shown = (secret.len() / 8).min(5);
    let end_of = |count| secret.char_indices().nth(count).map_or(secret.len(), |(place, _)| place);
    let begin_of = |count: usize| count.checked_sub(1).and_then(|last| secret.char_indices().nth_back(last));
    let tail = begin_of(shown).map_or(secret.len(), |(place, _)| place);
    format!("{}…{}", &secret[..end_of(shown)], &secret[tail..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_shows_a_quarter_at_most() {
        assert_eq!(mask("abcdefghijklmnopqrstuvwxyz"), "abc…xyz");
        assert_eq!(mask("short"), "…");
        assert_eq!(mask(&"x".repeat(400)).chars().count(), 11);
        assert_eq!(mask("äöüßäöüßäöüß"), "äöü…öüß");
    }

    #[tokio::test]
    async fn an_off_trace_keeps_nothing_and_makes_no_words() {
        let trace = Trace::off();
        let timer = trace.timer();
        trace.step(StepKind::Store, timer, || -> TraceText { unreachable!("words are made only when they are kept") });
        let words = |(): &()| -> TraceText { unreachable!("words are made only when they are kept") };
        trace.timed(StepKind::Store, words, async {}).await;
        assert_eq!(trace.store_calls(), 0);
        assert!(trace.server_timing().is_none());
        assert!(trace.read(|_, _| ()).is_none());
    }
}
