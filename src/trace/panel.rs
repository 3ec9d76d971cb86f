//! A trace as the panel on a page shows it.

use std::time::Duration;

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::{CookieSet, ShownCredential, Step, StepKind, Trace, Verdict};
use crate::units::time;

impl Trace {
    /// The record as the panel shows it; `None` when the trace is off.
    pub fn panel(&self, method: &str, path: &str, status: Option<u16>) -> Option<Value> {
        let total = self.0.as_ref()?.started.elapsed();
        let record = self.record()?;
        let longest = record.steps.iter().map(|step| step.took).max().unwrap_or_default();
        let steps = record.steps.iter().map(|step| PanelStep::new(step, longest)).collect();
        Some(Value::from(Serde(Panel {
            method,
            path,
            status,
            total: readable(total),
            store_calls: record.steps.iter().map(|step| step.calls).sum(),
            credentials: &record.credentials,
            steps,
            cookies_set: &record.cookies,
            verdict: &record.verdict,
        })))
    }
}

/// A trace as a template reads it.
#[derive(Serialize)]
struct Panel<'a> {
    method: &'a str,
    path: &'a str,
    status: Option<u16>,
    total: String,
    store_calls: usize,
    credentials: &'a [ShownCredential],
    steps: Vec<PanelStep<'a>>,
    cookies_set: &'a [CookieSet],
    verdict: &'a Verdict,
}

#[derive(Serialize)]
struct PanelStep<'a> {
    kind: StepKind,
    words: &'a str,
    took: String,
    /// Percent of the longest step, at least 1.
    share: u32,
}

impl<'a> PanelStep<'a> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a ratio of at most 1
    fn new(step: &'a Step, longest: Duration) -> Self {
        let share = if longest.is_zero() { 0.0 } else { 100.0 * step.took.as_secs_f64() / longest.as_secs_f64() };
        Self { kind: step.kind, words: &step.words, took: readable(step.took), share: share.round().max(1.0) as u32 }
    }
}

fn readable(took: Duration) -> String {
    time(took.as_secs_f64() * 1e9)
}
