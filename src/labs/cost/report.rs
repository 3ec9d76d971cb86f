//! What a run came to: as JSON, as a table, as figures for the frontier.

use std::fmt;

use serde::Serialize;

use super::{Conditions, CostResult, FloorTimes, Percentiles};
use crate::labs::figures::{Figures, Source, StrategyFigures};
use crate::units::time;

/// What the experiment measured.
#[derive(Clone, Debug, Serialize)]
pub struct CostReport {
    /// Said with every figure: seconds show the order of magnitude.
    pub indicative: bool,
    /// `release`, or `debug`, whose figures are none.
    pub build: &'static str,
    /// Where and when.
    pub source: Source,
    /// Under which conditions.
    pub conditions: Conditions,
    /// What nothing can be faster than, in the same run.
    pub floors: FloorTimes,
    /// A row for each strategy.
    pub results: Vec<CostResult>,
    /// The strategies that could not be measured like this.
    pub not_measured: Vec<NotMeasured>,
}

/// A strategy without figures.
#[derive(Clone, Debug, Serialize)]
pub struct NotMeasured {
    /// Its name.
    pub strategy: &'static str,
    /// Why, in a sentence.
    pub why: String,
}

/// What everybody must read beside the figures of a debug build.
pub const DEBUG_WARNING: &str = "THIS IS A DEBUG BUILD: its figures are not figures. \
    Use cargo run --release -- lab cost";

impl CostReport {
    pub(super) fn new(conditions: Conditions, source: Source, floors: FloorTimes) -> Self {
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        let (results, not_measured) = (Vec::new(), Vec::new());
        Self { indicative: true, build, source, conditions, floors, results, not_measured }
    }

    /// Whether the figures are those of a debug build.
    pub fn is_debug(&self) -> bool {
        self.build == "debug"
    }

    /// As the frontier and the capacity sheet read them.
    pub fn figures(&self) -> Figures {
        Figures {
            source: self.source.clone(),
            rows: self.results.iter().map(row).collect(),
            plain: Vec::new(),
            not_comparable: Vec::new(),
        }
    }
}

fn row(measured: &CostResult) -> StrategyFigures {
    StrategyFigures {
        strategy: measured.strategy.to_owned(),
        identify_ns: measured.identify_ns.interval(),
        issue_ns: Some(measured.issue_ns.interval()),
        revoke_ns: Some(measured.revoke_ns.interval()),
        store_calls: measured.store_calls,
        request_bytes: measured.request_bytes,
        stored_bytes: measured.stored_bytes,
        user_bytes: measured.user_bytes,
        miss_ns: None,
        setup: Some(measured.setup.clone()),
        cpu_ns: measured.cpu_ns,
        identify_mean_ns: Some(measured.identify_ns.mean),
        staleness_ms: measured.staleness_ms,
    }
}

/// The conditions in words.
impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} login{} stored where any are", self.logins, if self.logins == 1 { "" } else { "s" })?;
        if self.delay.is_zero() {
            write!(f, ", no added delay")?;
        } else {
            write!(f, ", {} added to every call to a store", humantime::format_duration(self.delay))?;
        }
        write!(f, ", {} % of the requests of a login that was asked for before", self.hit_rate)?;
        if self.claim_bytes > 0 {
            write!(f, ", a user name of {} bytes", self.claim_bytes)?;
        }
        Ok(())
    }
}

/// The table of the command line.
impl fmt::Display for CostReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_debug() {
            writeln!(f, "*** {DEBUG_WARNING} ***\n")?;
        }
        let Self { source, conditions, .. } = self;
        writeln!(f, "Indicative: {}, {}, {}", source.machine, source.versions, source.date)?;
        writeln!(f, "{conditions}\n")?;
        writeln!(f, "{:<16} {:^21} {:^8} {:^21} {:^21}", "", "check", "× its", "log in", "revoke")?;
        let pair = format!("{:>10} {:>10}", "p50", "p99");
        writeln!(f, "{:<16} {pair} {:^8} {pair} {pair} {:>6} {:>8} {:>7}", "", "floor", "calls", "sent", "stored")?;
        let times = |spread: &Percentiles| format!("{:>10} {:>10}", time(spread.p50), time(spread.p99));
        for row in &self.results {
            let (check, issue, revoke) = (times(&row.identify_ns), times(&row.issue_ns), times(&row.revoke_ns));
            let floor =
                row.floor_ns.map_or_else(String::new, |floor| format!("{:.2}", row.identify_ns.p50 / floor.p50));
            let (sent, stored) = (format!("{} B", row.request_bytes), format!("{} B", row.stored_bytes));
            let (strategy, calls) = (&row.strategy, row.store_calls);
            writeln!(f, "{strategy:<16} {check} {floor:^8} {issue} {revoke} {calls:>6.2} {sent:>8} {stored:>7}")?;
        }
        writeln!(
            f,
            "\nRows are measured one after another: compare each with its own floor, which took turns with it."
        )?;
        writeln!(f, "\n{:<16} {}", "an empty call", times(&self.floors.empty_call_ns))?;
        if let Some(get) = &self.floors.get_ns {
            writeln!(f, "{:<16} {}", "a bare GET", times(get))?;
        }
        writeln!(f, "{:<16} {}", "a bare SELECT", times(&self.floors.select_ns))?;
        for NotMeasured { strategy, why } in &self.not_measured {
            writeln!(f, "\n{strategy}: not measured. {why}")?;
        }
        Ok(())
    }
}
