//! The data of a trace.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Text of a trace: usually a constant.
pub type TraceText = Cow<'static, str>;

/// The part of the work that a step belongs to. The name is the metric name in `Server-Timing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// Reading the request's cookies and headers.
    Cookie,
    /// A signature or a digest.
    Crypto,
    /// A command to Redis.
    Store,
    /// A look into this process' memory.
    Memory,
    /// A statement to the SQL database.
    Database,
    /// A password hash, with the wait for a free slot.
    Hash,
    /// Rendering a page.
    Page,
}

impl StepKind {
    /// The name in `Server-Timing` and on the page.
    pub fn name(self) -> &'static str {
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

/// One thing that the server did, and how long it took.
#[derive(Clone, Debug)]
pub struct Step {
    pub kind: StepKind,
    pub words: TraceText,
    /// Wall time.
    pub took: Duration,
    /// Commands to Redis and statements to the SQL database.
    pub calls: usize,
}

/// A credential as the browser sent it. Never the whole value: a trace is shown on a projector.
#[derive(Clone, Debug)]
pub struct ShownCredential {
    /// Cookie name, or `Authorization`.
    pub name: TraceText,
    /// The header that held it.
    pub via: TraceText,
    /// First and last characters, by [`super::mask`].
    pub masked: String,
    /// Size of the value in bytes.
    pub bytes: usize,
}

/// One attribute of a cookie and why it is there.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// `HttpOnly`, `Path`, …
    pub name: &'static str,
    pub value: Option<String>,
    /// What it protects against.
    pub why: &'static str,
}

/// A cookie that the answer sets or removes.
#[derive(Clone, Debug)]
pub struct CookieSet {
    pub name: String,
    /// First and last characters, by [`super::mask`].
    pub masked: String,
    /// Size of the value in bytes.
    pub bytes: usize,
    /// Whether the answer removes the cookie.
    pub removal: bool,
    pub attributes: Vec<Attribute>,
}

/// What the browser or the server holds of a login.
#[derive(Clone, Debug)]
pub struct HeldData {
    /// A heading: what kind of data.
    pub title: TraceText,
    pub text: String,
    /// Its size; `None` if this request did not read it.
    pub bytes: Option<usize>,
}

/// The outcome of authenticating a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictKind {
    /// The request had no credential.
    Anonymous,
    Accepted,
    Refused,
    /// A store did not answer: it is unknown whether the credential is valid.
    Unavailable,
}

impl VerdictKind {
    /// The name in metrics, templates and styles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

/// The outcome of authenticating a request, for the panel.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub kind: VerdictKind,
    pub words: TraceText,
    /// Why the server did not accept the credential.
    pub reason: Option<TraceText>,
}

impl Default for Verdict {
    fn default() -> Self {
        Self { kind: VerdictKind::Anonymous, words: "this request was not authenticated".into(), reason: None }
    }
}

/// What a request did, so far.
#[derive(Clone, Debug, Default)]
pub struct TraceRecord {
    pub steps: Vec<Step>,
    pub credentials: Vec<ShownCredential>,
    pub cookies: Vec<CookieSet>,
    pub verdict: Verdict,
    pub(super) refusal: Option<TraceText>,
    pub(super) browser: Option<Exhibit>,
    pub(super) server: Option<Exhibit>,
}

impl TraceRecord {
    /// A copy for the page of a later request, without what the browser and the server hold: a token may be in it.
    #[must_use]
    pub fn without_held(&self) -> Self {
        let Self { steps, credentials, cookies, verdict, .. } = self.clone();
        Self { steps, credentials, cookies, verdict, ..Self::default() }
    }
}

/// A function that makes the data when a page shows it: most requests never do.
#[derive(Clone)]
pub(super) struct Exhibit(pub Arc<dyn Fn() -> HeldData + Send + Sync>);

impl fmt::Debug for Exhibit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exhibit")
    }
}
