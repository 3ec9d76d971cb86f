//! The report as a table for the command line. `{:80}` makes it at most 80 columns wide.

use std::fmt::{self, Write as _};

use super::report::{CostReport, CostResult, DEBUG_WARNING, NotMeasured};
use super::samples::Percentiles;
use crate::labs::text_table::{TextTable, wrapped};
use crate::units::time;

const HEADER: [&str; 11] = [
    "\nstrategy",
    "check\np50",
    "\np99",
    "× its\nfloor",
    "log in\np50",
    "\np99",
    "revoke\np50",
    "\np99",
    "store\ncalls",
    "\nsent",
    "\nstored",
];

const BELOW: &str = "
Check: a check alone, from the credential to the login, without HTTP or a page. Log in: without hashing the password.
Sent: the credentials of a request. Stored: a user's first login: the record, its key and the index of the user's logins.
The profile page shows the record alone; the figures of the benches also include the store's own tables.
Rows are measured one after another: compare each with its own floor, which took turns with it.
";

impl fmt::Display for CostReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        if self.is_debug() {
            writeln!(text, "*** {DEBUG_WARNING} ***\n")?;
        }
        let Self { source, conditions, floors, .. } = self;
        writeln!(text, "Indicative: {}, {}, {}", source.machine, source.versions, source.date)?;
        writeln!(text, "{conditions}\n")?;
        let mut rows: Vec<_> = self.results.iter().map(CostResult::cells).collect();
        let bare = [
            ("an empty call", Some(&floors.empty_call_ns)),
            ("a bare GET", floors.get_ns.as_ref()),
            ("a bare SELECT", Some(&floors.select_ns)),
        ];
        for (name, times) in bare {
            if let Some(times) = times {
                rows.push([name.to_owned()].into_iter().chain(p50_and_p99(times)).collect());
            }
        }
        let table = TextTable { header: &HEADER, left: 1, names: &[0], rows };
        writeln!(text, "{}", table.within(f.width()))?;
        text.push_str(BELOW);
        for NotMeasured { strategy, why } in &self.not_measured {
            writeln!(text, "\n{strategy}: not measured. {why}")?;
        }
        f.write_str(&wrapped(&text, f.width()))
    }
}

fn p50_and_p99(times: &Percentiles) -> [String; 2] {
    [times.p50, times.p99].map(time)
}

impl CostResult {
    fn cells(&self) -> Vec<String> {
        let floor = self.floor_ns.map_or_else(String::new, |floor| format!("{:.2}", self.identify_ns.p50 / floor.p50));
        let mut cells = vec![self.strategy.to_owned()];
        cells.extend(p50_and_p99(&self.identify_ns));
        cells.push(floor);
        cells.extend(p50_and_p99(&self.issue_ns));
        cells.extend(p50_and_p99(&self.revoke_ns));
        cells.push(format!("{:.2}", self.store_calls));
        cells.extend([self.request_bytes, self.stored_bytes].map(|bytes| format!("{bytes} B")));
        cells
    }
}
