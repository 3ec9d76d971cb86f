//! The report as a table for the command line: two rows for each strategy, one for each node.
//! `{:80}` makes it at most 80 columns wide.

use std::fmt::{self, Display, Write as _};

use super::report::{ByNode, RefusalPercentiles, RevocationReport, RevocationResult, StalenessPercentiles};
use crate::labs::text_table::{TextTable, wrapped};

const ABOVE: &str = "\
In milliseconds after the answer to the revoke, over all trials.
Accepted: probes that the node accepted after that answer. Staleness: when the last of them was sent (0: none).
Refused from: the first probe after which every probe was refused, in the worst trial.
When between the two the login ended is unknown. Every: the time between two probes of one node, in microseconds.
";

const HEADER: [&str; 11] = [
    "\nstrategy",
    "\npromise",
    "\nnode",
    "\nbound",
    "\ntrials",
    "\nevery",
    "\naccepted",
    "staleness\np50",
    "\np99",
    "\nworst",
    "refused\nfrom",
];

impl Display for RevocationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.results.iter().flat_map(RevocationResult::rows).collect();
        let table = TextTable { header: &HEADER, left: 3, names: &[0, 2], rows };
        let mut text = format!("{ABOVE}\n{}\n", table.within(f.width()));
        for row in &self.results {
            let notes = row.notes();
            if !notes.is_empty() {
                writeln!(text, "\n{}: {}", row.strategy, notes.join("; "))?;
            }
        }
        if let Some(life) = self.results.iter().find_map(|row| row.shortened_life_ms) {
            writeln!(text, "\nWhere only expiry ends a login, tokens lived for {life} ms in this experiment.")?;
        }
        f.write_str(&wrapped(&text, f.width()))
    }
}

impl RevocationResult {
    /// The cells of both nodes.
    fn rows(&self) -> [Vec<String>; 2] {
        let Self { strategy, promise, bound_ms, trials, probe_every_us, .. } = self;
        let accepted = self.accepted_after_response;
        let (still, staleness, refused) =
            (self.still_accepted, self.last_accept_after_response_ms, self.refused_from_ms);
        let strategy = [(*strategy).to_owned(), (*promise).to_owned()];
        let conditions = [bound_ms.to_string(), trials.to_string(), probe_every_us.to_string()];
        let same = node_cells(accepted.same_node, still.same_node > 0, staleness.same_node, refused.same_node);
        let other = node_cells(accepted.other_node, still.other_node > 0, staleness.other_node, refused.other_node);
        let row = |node: &str, cells: [String; 5]| {
            let start = strategy.iter().cloned().chain([node.to_owned()]);
            start.chain(conditions.iter().cloned()).chain(cells).collect()
        };
        [row("same", same), row("other", other)]
    }

    /// What a reader must know about the figures.
    fn notes(&self) -> Vec<String> {
        let both = |ByNode { same_node, other_node }: ByNode<u64>| same_node + other_node;
        let counted = |count: u64, words: &str| (count > 0).then(|| format!("{count} {words}"));
        let broken = (!self.within_bound).then(|| "NOT WITHIN THE BOUND".to_owned());
        let still = counted(both(self.still_accepted), "times still accepted at the last probe");
        let unavailable = counted(both(self.unavailable), "probes neither accepted nor refused");
        let skipped = counted(both(self.skipped), "probes not sent because too many were in flight");
        [broken, still, unavailable, skipped].into_iter().flatten().collect()
    }
}

fn node_cells(accepted: u64, still: bool, last: StalenessPercentiles, refused: RefusalPercentiles) -> [String; 5] {
    let least = if still { "≥" } else { "" };
    let [p50, p99, worst] = [last.p50, last.p99, last.max].map(|ms| format!("{least}{ms:.3}"));
    let refused_from = refused.max.map_or_else(|| "never".to_owned(), |ms| format!("{ms:.3}"));
    [accepted.to_string(), p50, p99, worst, refused_from]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two trials in which the push never came, and some probes got no answer.
    fn lost() -> RevocationResult {
        let ms = |ms: f64| StalenessPercentiles { p50: ms, p99: ms, max: ms };
        let never = RefusalPercentiles { p50: Some(0.1), p99: None, max: None };
        RevocationResult {
            strategy: "session-tracked",
            promise: "push",
            bound_ms: 500,
            trials: 2,
            probe_every_us: 50,
            shortened_life_ms: None,
            probes_after_response: ByNode { same_node: 24_000, other_node: 24_000 },
            accepted_after_response: ByNode { same_node: 0, other_node: 23_997 },
            unavailable: ByNode { same_node: 1, other_node: 2 },
            skipped: ByNode { same_node: 0, other_node: 4 },
            last_accept_after_response_ms: ByNode { same_node: ms(0.0), other_node: ms(600.125) },
            refused_from_ms: ByNode { same_node: RefusalPercentiles { max: Some(8.25), ..never }, other_node: never },
            still_accepted: ByNode { same_node: 0, other_node: 2 },
            within_bound: false,
        }
    }

    #[test]
    fn a_row_for_each_node_says_what_is_known_and_a_note_what_is_not() {
        let table = RevocationReport { results: vec![lost()] }.to_string();
        let rows: Vec<Vec<_>> = table
            .lines()
            .filter(|line| line.starts_with("session-tracked "))
            .map(|line| line.split_whitespace().collect())
            .collect();
        let same = ["session-tracked", "push", "same", "500", "2", "50", "0", "0.000", "0.000", "0.000", "8.250"];
        let other = [
            "session-tracked",
            "push",
            "other",
            "500",
            "2",
            "50",
            "23997",
            "≥600.125",
            "≥600.125",
            "≥600.125",
            "never",
        ];
        assert_eq!(rows, [same, other]);
        assert_eq!(
            table.lines().last(),
            Some(
                "session-tracked: NOT WITHIN THE BOUND; 2 times still accepted at the last probe; 3 probes neither \
                 accepted nor refused; 4 probes not sent because too many were in flight"
            )
        );
        let good = RevocationResult { still_accepted: ByNode::default(), unavailable: ByNode::default(), ..lost() };
        let good = RevocationResult { skipped: ByNode::default(), within_bound: true, ..good };
        let table = RevocationReport { results: vec![good] }.to_string();
        assert!(!table.contains('≥') && !table.contains("session-tracked:"), "{table}");
    }

    #[test]
    fn the_table_is_not_wider_than_a_terminal() {
        let table = RevocationReport { results: vec![lost()] }.to_string();
        let widest = table.lines().filter(|line| !line.contains(": NOT")).map(|line| line.chars().count()).max();
        assert!(widest <= Some(140), "{table}");
        let table = format!("{:80}", RevocationReport { results: vec![lost()] });
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        let rows = table.lines().filter(|line| line.starts_with("session-tracked ")).count();
        assert_eq!(rows, 4, "two blocks, each with a row for each node:\n{table}");
    }
}
