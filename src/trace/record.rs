//! What a trace keeps: the data that the panel and the `Server-Timing` header are made of.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

/// Text of a trace: usually a constant.
pub type Text = Cow<'static, str>;

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

/// One thing that the server did, in words, and how long it took.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which part of the work.
    pub kind: StepKind,
    /// What was done, for a reader.
    pub words: Text,
    /// Wall time.
    pub took: Duration,
    /// How many commands went to a store.
    pub calls: usize,
}

/// A credential as the browser sent it. Never the whole value: a trace is shown on a projector.
#[derive(Clone, Debug, Serialize)]
pub struct ShownCredential {
    /// Cookie name, or `Authorization`.
    pub name: Text,
    /// Where it stood.
    pub via: Text,
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
pub struct HeldData {
    /// Where.
    pub title: Text,
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
    pub words: Text,
    /// Why, where it was not an acceptance.
    pub reason: Option<Text>,
}

impl Default for Verdict {
    fn default() -> Self {
        Self { kind: VerdictKind::Anonymous, words: "nobody asked who this is".into(), reason: None }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub steps: Vec<Step>,
    pub credentials: Vec<ShownCredential>,
    pub cookies: Vec<CookieSet>,
    pub verdict: Verdict,
    pub refusal: Option<Text>,
    pub browser: Option<Exhibit>,
    pub server: Option<Exhibit>,
}

/// Made when a page asks for it: most requests never show what is held.
#[derive(Clone)]
pub(super) struct Exhibit(pub Arc<dyn Fn() -> HeldData + Send + Sync>);

impl fmt::Debug for Exhibit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exhibit")
    }
}
