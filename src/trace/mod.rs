//! What one request did: the credential as it came, each step with its time, each cookie set, the verdict.
//!
//! One [`Trace`] is made for a request, in one place, and handed down. It does no I/O: the page's panel and the
//! `Server-Timing` header are read from it. A trace that is off keeps nothing and takes no clock readings.

mod panel;
mod record;
mod server_timing;
mod store_calls;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub use self::record::{Attribute, CookieSet, HeldData, ShownCredential, Step, StepKind, Text, Verdict, VerdictKind};
use self::record::{Exhibit, Record};
pub use self::store_calls::count_store_call;

#[derive(Debug)]
struct TraceInner {
    started: Instant,
    record: Mutex<Record>,
}

/// The record of one request. Clones write to the same record.
#[derive(Clone, Debug, Default)]
pub struct Trace(Option<Arc<TraceInner>>);

/// A running stopwatch; stands still when the trace is off.
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

    /// Ends a step of this process' own work. `words` is only called when the trace is on.
    pub fn step<W: Into<Text>>(&self, kind: StepKind, timer: Timer, words: impl FnOnce() -> W) {
        if let (Some(mut record), Some(begun)) = (self.record(), timer.0) {
            record.steps.push(Step { kind, words: words().into(), took: begun.elapsed(), calls: 0 });
        }
    }

    /// Carries out `work` as one step: measures its time and counts its store calls. `words` name the step, and are only
    /// called when the trace is on.
    pub async fn timed<T, W: Into<Text>>(
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
    pub fn credential(&self, name: impl Into<Text>, via: impl Into<Text>, value: &str) {
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

    /// Notes why a credential was not accepted. The verdict tells it.
    pub fn refused(&self, reason: impl Into<Text>) {
        self.with(|record| record.refusal = Some(reason.into()));
    }

    /// Notes the decision; the last one counts.
    pub fn verdict(&self, verdict: Verdict) {
        self.with(|record| record.verdict = verdict);
    }

    /// Notes what the browser keeps of the login. `prepare` is only called when the trace is on, and what it answers
    /// when a page shows it.
    pub fn browser_holds<F: Fn() -> HeldData + Send + Sync + 'static>(&self, prepare: impl FnOnce() -> F) {
        self.with(|record| record.browser = Some(Exhibit(Arc::new(prepare()))));
    }

    /// Notes what the server keeps of the login, likewise.
    pub fn server_holds<F: Fn() -> HeldData + Send + Sync + 'static>(&self, prepare: impl FnOnce() -> F) {
        self.with(|record| record.server = Some(Exhibit(Arc::new(prepare()))));
    }

    /// Why the credential was refused, if it was.
    pub fn refusal(&self) -> Option<Text> {
        self.record()?.refusal.clone()
    }

    /// How many commands went to a store.
    pub fn store_calls(&self) -> usize {
        self.record().map(|record| record.steps.iter().map(|step| step.calls).sum()).unwrap_or_default()
    }

    /// What both sides keep of the login, as far as the strategy said.
    pub fn held(&self) -> (Option<HeldData>, Option<HeldData>) {
        let exhibits = self.record().map(|record| (record.browser.clone(), record.server.clone()));
        let shown = |exhibit: Option<Exhibit>| exhibit.map(|exhibit| exhibit.0());
        exhibits.map(|(browser, server)| (shown(browser), shown(server))).unwrap_or_default()
    }

    fn with(&self, write: impl FnOnce(&mut Record)) {
        if let Some(mut record) = self.record() {
            write(&mut record);
        }
    }

    fn record(&self) -> Option<MutexGuard<'_, Record>> {
        self.0.as_ref().map(|inner| inner.record.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The first and the last characters of a secret: enough to recognise it, too little to use it.
///
/// At most a quarter of the value is shown, and never more than ten characters.
pub fn mask(secret: &str) -> String {
    let shown = (secret.len() / 8).min(5);
    let head: String = secret.chars().take(shown).collect();
    let tail: String = secret.chars().rev().take(shown).collect::<Vec<_>>().into_iter().rev().collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_shows_a_quarter_at_most() {
        assert_eq!(mask("abcdefghijklmnopqrstuvwxyz"), "abc…xyz");
        assert_eq!(mask("short"), "…");
        assert_eq!(mask(&"x".repeat(400)).chars().count(), 11);
    }

    #[test]
    fn an_off_trace_keeps_nothing_and_asks_for_no_words() {
        let trace = Trace::off();
        let timer = trace.timer();
        trace.step(StepKind::Store, timer, || -> Text { unreachable!("words are made only when they are kept") });
        assert!(trace.server_timing().is_none());
        assert!(trace.panel("GET", "/", None).is_none());
    }
}
