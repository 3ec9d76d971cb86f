//! What one request did: the credential as it came, each step with its time, each cookie set, the verdict.
//!
//! One [`Trace`] is made for a request, in one place, and handed down. It does no I/O: the page's panel and the
//! `Server-Timing` header are read from it. A trace that is off keeps nothing and takes no clock readings.

mod panel;

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Text of a trace: usually a constant.
pub type Words = Cow<'static, str>;

/// Which part of the work a step belongs to. The name is the metric name in `Server-Timing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepKind {
    /// Reading the request's cookies and headers.
    Cookie,
    /// A signature or a digest.
    Crypto,
    /// A command to Redis.
    Store,
    /// A look into this process' memory: no call to anybody.
    Memory,
    /// A statement to the SQL database.
    Database,
    /// A password hash, waiting for a free slot included.
    Hash,
    /// Rendering a page.
    Page,
}

impl StepKind {
    fn metric(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Crypto => "crypto",
            Self::Store => "store",
            Self::Memory => "memory",
            Self::Database => "database",
            Self::Hash => "hash",
            Self::Page => "page",
        }
    }
}

/// One thing that the server did, in words, and how long it took.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which part of the work.
    pub kind: StepKind,
    /// What was done, for a reader.
    pub words: Words,
    /// Wall time.
    pub took: Duration,
    /// How many commands went to a store.
    pub calls: usize,
}

/// A credential as the browser sent it. Never the whole value: a trace is shown on a projector.
#[derive(Clone, Debug, Serialize)]
pub struct Credential {
    /// Cookie name, or `Authorization`.
    pub name: Words,
    /// Where it stood.
    pub via: Words,
    /// First and last characters.
    pub masked: String,
    /// Size of the value in bytes.
    pub bytes: usize,
}

/// One attribute of a cookie and why it is there.
#[derive(Clone, Debug, Serialize)]
pub struct Attribute {
    /// `HttpOnly`, `Path`, …
    pub name: &'static str,
    /// Its value, if it has one.
    pub value: Option<String>,
    /// What it protects against.
    pub why: &'static str,
}

/// A cookie that the answer sets or removes.
#[derive(Clone, Debug, Serialize)]
pub struct CookieSet {
    /// Its name.
    pub name: String,
    /// First and last characters of its value.
    pub masked: String,
    /// Size of the value in bytes.
    pub bytes: usize,
    /// True if the answer takes the cookie away.
    pub removal: bool,
    /// Its attributes, explained.
    pub attributes: Vec<Attribute>,
}

/// What one side keeps of a login.
#[derive(Clone, Debug, Serialize)]
pub struct Held {
    /// Where.
    pub title: Words,
    /// What, readable.
    pub text: String,
    /// Size in bytes; `None` where this request did not read it.
    pub bytes: Option<usize>,
}

/// What the server found out about who is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictKind {
    /// No credential came.
    Anonymous,
    /// The login is known.
    Accepted,
    /// A credential came and was not accepted.
    Refused,
    /// Nobody could find out: a store did not answer.
    Unavailable,
}

/// The decision, for the panel.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// What kind of decision.
    pub kind: VerdictKind,
    /// It in words.
    pub words: Words,
    /// Why, where it was not an acceptance.
    pub reason: Option<Words>,
}

impl Default for Verdict {
    fn default() -> Self {
        Self { kind: VerdictKind::Anonymous, words: "nobody asked who this is".into(), reason: None }
    }
}

#[derive(Clone, Debug, Default)]
struct Record {
    steps: Vec<Step>,
    credentials: Vec<Credential>,
    cookies: Vec<CookieSet>,
    verdict: Verdict,
    refusal: Option<Words>,
    browser: Option<Exhibit>,
    server: Option<Exhibit>,
}

/// Made when a page asks for it: most requests never show what is held.
#[derive(Clone)]
struct Exhibit(Arc<dyn Fn() -> Held + Send + Sync>);

impl fmt::Debug for Exhibit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exhibit")
    }
}

#[derive(Debug)]
struct Inner {
    started: Instant,
    record: Mutex<Record>,
}

/// The record of one request. Clones write to the same record.
#[derive(Clone, Debug, Default)]
pub struct Trace(Option<Arc<Inner>>);

/// A running stopwatch; stands still when the trace is off.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Timer(Option<Instant>);

impl Trace {
    /// Starts a record.
    pub fn on() -> Self {
        Self(Some(Arc::new(Inner { started: Instant::now(), record: Mutex::default() })))
    }

    /// Keeps nothing, measures nothing.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Starts the stopwatch of the next step.
    pub fn timer(&self) -> Timer {
        Timer(self.0.is_some().then(Instant::now))
    }

    /// Ends a step. `words` is only called when the trace is on.
    pub fn step<W: Into<Words>>(&self, kind: StepKind, timer: Timer, words: impl FnOnce() -> W) {
        let calls = usize::from(matches!(kind, StepKind::Store | StepKind::Database));
        self.step_of(kind, calls, timer, words);
    }

    /// Ends a step that sent several commands to a store.
    pub fn step_of<W: Into<Words>>(&self, kind: StepKind, calls: usize, timer: Timer, words: impl FnOnce() -> W) {
        if let (Some(mut record), Some(begun)) = (self.record(), timer.0) {
            record.steps.push(Step { kind, words: words().into(), took: begun.elapsed(), calls });
        }
    }

    /// Notes a credential that came with the request.
    pub fn credential(&self, name: impl Into<Words>, via: impl Into<Words>, value: &str) {
        self.with(|record| {
            let credential = Credential { name: name.into(), via: via.into(), masked: mask(value), bytes: value.len() };
            record.credentials.push(credential);
        });
    }

    /// Notes a cookie that the answer sets.
    pub fn cookie(&self, cookie: CookieSet) {
        self.with(|record| record.cookies.push(cookie));
    }

    /// Notes why a credential was not accepted. The verdict tells it.
    pub fn refused(&self, reason: impl Into<Words>) {
        self.with(|record| record.refusal = Some(reason.into()));
    }

    /// Notes the decision; the last one counts.
    pub fn verdict(&self, verdict: Verdict) {
        self.with(|record| record.verdict = verdict);
    }

    /// Notes what the browser keeps of the login. `prepare` is only called when the trace is on, and what it answers
    /// when a page shows it.
    pub fn browser_holds<F: Fn() -> Held + Send + Sync + 'static>(&self, prepare: impl FnOnce() -> F) {
        self.with(|record| record.browser = Some(Exhibit(Arc::new(prepare()))));
    }

    /// Notes what the server keeps of the login, likewise.
    pub fn server_holds<F: Fn() -> Held + Send + Sync + 'static>(&self, prepare: impl FnOnce() -> F) {
        self.with(|record| record.server = Some(Exhibit(Arc::new(prepare()))));
    }

    /// Why the credential was refused, if it was.
    pub fn refusal(&self) -> Option<Words> {
        self.record()?.refusal.clone()
    }

    /// How many commands went to a store.
    pub fn store_calls(&self) -> usize {
        self.record().map(|record| record.steps.iter().map(|step| step.calls).sum()).unwrap_or_default()
    }

    /// What both sides keep of the login, as far as the strategy said.
    pub fn held(&self) -> (Option<Held>, Option<Held>) {
        let exhibits = self.record().map(|record| (record.browser.clone(), record.server.clone()));
        let shown = |exhibit: Option<Exhibit>| exhibit.map(|exhibit| exhibit.0());
        exhibits.map(|(browser, server)| (shown(browser), shown(server))).unwrap_or_default()
    }

    /// The value of the `Server-Timing` header: each step in order, then the total. Milliseconds.
    pub fn server_timing(&self) -> Option<String> {
        let total = self.0.as_ref()?.started.elapsed();
        let record = self.record()?;
        let mut header = String::with_capacity(64 * (record.steps.len() + 1));
        for step in &record.steps {
            let words = quotable(&step.words);
            let _ = write!(header, "{};dur={:.3};desc=\"{words}\", ", step.kind.metric(), millis(step.took));
        }
        let _ = write!(header, "total;dur={:.3}", millis(total));
        Some(header)
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

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// What may stand inside a quoted string of a header: printable ASCII without quotes and backslashes.
fn quotable(words: &str) -> String {
    words.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
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
        trace.step(StepKind::Store, timer, || -> Words { unreachable!("words are made only when they are kept") });
        assert!(trace.server_timing().is_none());
        assert!(trace.panel("GET", "/", None).is_none());
    }

    #[test]
    fn server_timing_cannot_be_broken_out_of() {
        let trace = Trace::on();
        trace.step(StepKind::Cookie, trace.timer(), || "a\"b\\c\r\nd µ");
        let header = trace.server_timing().expect("the trace is on");
        assert!(header.contains("desc=\"abcd \""), "{header}");
    }
}
