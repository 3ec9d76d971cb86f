//! The processor time of a process.

use std::collections::BTreeMap;
use std::fs;

/// The nanoseconds that each thread of a process has run.
pub struct ProcessorTime(BTreeMap<String, u64>);

impl ProcessorTime {
    /// `pid` is a number or `self`.
    pub fn of(pid: &str) -> Self {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs").flatten();
        let time = threads.filter_map(|thread| {
            let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
            Some((thread.file_name().into_string().ok()?, text.split(' ').next()?.parse().ok()?))
        });
        Self(time.collect())
    }

    /// A thread that ended in the meantime counts nothing.
    #[allow(clippy::cast_precision_loss)] // a bench takes less than 2^52 ns
    pub fn ns_since(&self, before: &Self) -> f64 {
        let each = self.0.iter().map(|(thread, time)| time - before.0.get(thread).copied().unwrap_or_default());
        each.sum::<u64>() as f64
    }
}
