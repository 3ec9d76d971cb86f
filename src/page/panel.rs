//! What a request did, as the panel of a page shows it (`templates/partials/trace.html`).

use std::time::Duration;

use compact_str::ToCompactString as _;
use minijinja::{Value, context};

use super::PageValues;
use crate::trace::{CookieSet, ShownCredential, Step, TraceRecord};
use crate::units::time;

/// A request, and what it did.
#[derive(Clone, Copy)]
pub struct Panel<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    pub total: Duration,
    pub record: &'a TraceRecord,
}

/// A panel for the page of a later request.
#[derive(Clone, Debug)]
pub struct KeptPanel {
    method: String,
    path: String,
    status: u16,
    total: Duration,
    record: TraceRecord,
}

impl KeptPanel {
    pub fn new(panel: Panel<'_>) -> Self {
        let Panel { method, path, status, total, record } = panel;
        Self { method: method.to_owned(), path: path.to_owned(), status, total, record: record.without_held() }
    }

    pub fn panel(&self) -> Panel<'_> {
        let Self { method, path, status, total, record } = self;
        Panel { method, path, status: *status, total: *total, record }
    }
}

impl Panel<'_> {
    pub(super) fn values(&self, values: &mut PageValues) -> Value {
        let TraceRecord { steps, credentials, cookies, verdict, .. } = self.record;
        let calls: usize = steps.iter().map(|step| step.calls).sum();
        let method = values.text(self.method);
        let path = values.text(self.path);
        let status = values.text(&self.status.to_compact_string());
        let total = values.text(&readable(self.total));
        let (store_calls, has_one_call) = (values.text(&calls.to_compact_string()), values.flag(calls == 1));
        let kind = values.fixed(verdict.kind.name());
        let words = values.text(&verdict.words);
        // A line may break at an ordinary hyphen, in the middle of a header's name.
        let reason = verdict.reason.as_ref().map(|reason| reason.replace('-', "‑"));
        let has_reason = values.flag(reason.is_some());
        let reason = values.text(reason.as_deref().unwrap_or_default());
        let credentials = list(values, credentials, credential);
        let longest = steps.iter().map(|step| step.took).max().unwrap_or_default();
        let steps = list(values, steps, |values, one| step(values, one, longest));
        let cookies_set = list(values, cookies, cookie);
        values.shape(|| {
            context! {
                method, path, status, total, store_calls, has_one_call, credentials, steps, cookies_set,
                verdict => context! { kind, words, has_reason, reason },
            }
        })
    }
}

fn list<T>(values: &mut PageValues, all: &[T], one: impl Fn(&mut PageValues, &T) -> Value) -> Value {
    values.count(all.len());
    let all: Vec<_> = all.iter().map(|element| one(values, element)).collect();
    values.shape(|| Value::from(all))
}

fn credential(values: &mut PageValues, credential: &ShownCredential) -> Value {
    let ShownCredential { name, via, masked, bytes } = credential;
    let (name, via) = (values.fixed(name), values.fixed(via));
    let (masked, bytes) = (values.text(masked), values.text(&bytes.to_compact_string()));
    values.shape(|| context! { name, via, masked, bytes })
}

fn step(values: &mut PageValues, step: &Step, longest: Duration) -> Value {
    let (kind, words) = (values.fixed(step.kind.name()), values.text(&step.words));
    let (took, share) =
        (values.text(&readable(step.took)), values.text(&share(step.took, longest).to_compact_string()));
    values.shape(|| context! { kind, words, took, share })
}

/// Percent of the longest step, at least 1.
fn share(took: Duration, longest: Duration) -> u64 {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let percent = nanos(took).saturating_mul(100).saturating_add(nanos(longest) / 2) / nanos(longest).max(1);
    percent.clamp(1, 100)
}

fn cookie(values: &mut PageValues, cookie: &CookieSet) -> Value {
    let (name, removal) = (values.fixed(&cookie.name), values.flag(cookie.removal));
    let (masked, bytes) = (values.text(&cookie.masked), values.text(&cookie.bytes.to_compact_string()));
    let attributes = list(values, &cookie.attributes, |values, attribute| {
        let (name, has_value) = (values.fixed(attribute.name), values.flag(attribute.value.is_some()));
        let value = values.text(attribute.value.as_deref().unwrap_or_default());
        let why = values.fixed(attribute.why);
        values.shape(|| context! { name, has_value, value, why })
    });
    values.shape(|| context! { name, removal, masked, bytes, attributes })
}

fn readable(took: Duration) -> String {
    time(took.as_secs_f64() * 1e9)
}
