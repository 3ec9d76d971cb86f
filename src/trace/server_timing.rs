//! A trace as the `Server-Timing` header, which the browser's developer tools draw.

use std::fmt::{self, Write as _};
use std::time::Duration;

use serde::Serialize as _;

use super::{StepKind, Trace};

impl Trace {
    /// The value of the `Server-Timing` header: each step in order, then the total. Milliseconds.
    pub fn server_timing(&self) -> Option<String> {
        let total = self.0.as_ref()?.started.elapsed();
        let record = self.record()?;
        let mut header = String::with_capacity(64 * (record.steps.len() + 1));
        for step in &record.steps {
            let words = quotable(&step.words);
            let _ = write!(header, "{};dur={:.3};desc=\"{words}\", ", step.kind, millis(step.took));
        }
        let _ = write!(header, "total;dur={:.3}", millis(total));
        Some(header)
    }
}

/// Writes the name that serde gives it.
impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// Keeps what may stand inside a quoted string of a header: printable ASCII without quotes and backslashes.
fn quotable(words: &str) -> String {
    words.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_timing_cannot_be_broken_out_of() {
        let trace = Trace::on();
        trace.step(StepKind::Cookie, trace.timer(), || "a\"b\\c\r\nd µ");
        let header = trace.server_timing().expect("the trace is on");
        assert!(header.contains("desc=\"abcd \""), "{header}");
    }
}
