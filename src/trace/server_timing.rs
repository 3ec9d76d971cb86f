//! A trace as the `Server-Timing` header, which the browser's developer tools draw.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::Trace;

impl Trace {
    /// The value of the `Server-Timing` header: each step in order, then the total. Milliseconds.
    pub fn server_timing(&self) -> Option<String> {
        let total = self.0.as_ref()?.started.elapsed();
        let record = self.record()?;
        let mut header = String::with_capacity(64 * (record.steps.len() + 1));
        for step in &record.steps {
            let _ = write!(header, "{};dur={};desc=\"", step.kind.name(), Millis(step.took));
            header.extend(quotable(&step.words));
            header.push_str("\", ");
        }
        let _ = write!(header, "total;dur={}", Millis(total));
        Some(header)
    }
}

/// Milliseconds, with three decimals.
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = self.0 + Duration::from_nanos(500);
        let millis = rounded.as_secs() * 1000 + u64::from(rounded.subsec_millis());
        write!(f, "{millis}.{:03}", rounded.subsec_micros() % 1000)
    }
}

/// Keeps what may stand inside a quoted string of a header: printable ASCII without quotes and backslashes.
fn quotable(words: &str) -> impl Iterator<Item = char> {
    words.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'))
}

#[cfg(test)]
mod tests {
    use super::super::StepKind;
    use super::*;

    #[test]
    fn server_timing_cannot_be_broken_out_of() {
        let trace = Trace::on();
        trace.step(StepKind::Cookie, trace.timer(), || "a\"b\\c\r\nd µ");
        let header = trace.server_timing().expect("the trace is on");
        assert!(header.contains("desc=\"abcd \""), "{header}");
    }
}
