//! A trace as the panel on a page shows it.

use std::time::Duration;

use serde::Serialize;

use super::{CookieSet, Credential, Step, StepKind, Trace, Verdict, Words};

impl Trace {
    /// The record as the panel shows it; `None` when the trace is off.
    pub fn panel(&self, method: &str, path: &str, status: Option<u16>) -> Option<Panel> {
        let total = self.0.as_ref()?.started.elapsed();
        let record = self.record()?;
        let longest = record.steps.iter().map(|step| step.took).max().unwrap_or_default();
        let steps = record.steps.iter().map(|step| PanelStep::new(step, longest)).collect();
        Some(Panel {
            method: method.to_owned(),
            path: path.to_owned(),
            status,
            total: readable(total),
            store_calls: record.steps.iter().map(|step| step.calls).sum(),
            credentials: record.credentials.clone(),
            steps,
            cookies_set: record.cookies.clone(),
            verdict: record.verdict.clone(),
        })
    }
}

/// A trace as a template reads it.
#[derive(Clone, Debug, Serialize)]
pub struct Panel {
    method: String,
    path: String,
    status: Option<u16>,
    total: String,
    store_calls: usize,
    credentials: Vec<Credential>,
    steps: Vec<PanelStep>,
    cookies_set: Vec<CookieSet>,
    verdict: Verdict,
}

#[derive(Clone, Debug, Serialize)]
struct PanelStep {
    kind: StepKind,
    words: Words,
    took: String,
    /// Percent of the longest step.
    share: u32,
}

impl PanelStep {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a ratio of at most 1
    fn new(step: &Step, longest: Duration) -> Self {
        let share = if longest.is_zero() { 0.0 } else { 100.0 * step.took.as_secs_f64() / longest.as_secs_f64() };
        Self { kind: step.kind, words: step.words.clone(), took: readable(step.took), share: share.round() as u32 }
    }
}

/// A duration with three digits and its unit, as in `12.3 µs`.
fn readable(took: Duration) -> String {
    let nanos = took.as_secs_f64() * 1e9;
    let (value, unit) = match nanos {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$} {unit}")
}
