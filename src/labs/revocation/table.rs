//! The report as a table of the command line.

use std::fmt::{self, Display};

use super::{ByNode, RevocationReport, RevocationResult, StalenessPercentiles};

const ABOVE: &str = "\
In milliseconds after the answer to the revoke. Last yes: when the last accepted question was asked (0: none was accepted).
Refused from: when the question was asked from which on all were refused, in the worst trial. Nobody knows when between
the two the login ended. Every: the time between two questions to one node, in microseconds.
";

impl Display for RevocationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let above = format!("{:8} {:^27} {:>8}", "", "last yes", "refused");
        let names = format!("{:>8} {:>8} {:>8} {:>9} {:>8}", "accepted", "p50", "p99", "worst", "from");
        writeln!(f, "{ABOVE}")?;
        writeln!(f, "{:44}  {:^45}  {:>27}", "", "same node", "other node")?;
        writeln!(f, "{:44}  {above}  {above}", "")?;
        writeln!(
            f,
            "{:<15} {:<9} {:>5} {:>6} {:>5}  {names}  {names}",
            "strategy", "promise", "bound", "trials", "every"
        )?;
        for row in &self.results {
            writeln!(f, "{row}")?;
        }
        if let Some(life) = self.results.iter().find_map(|row| row.shortened_life_ms) {
            writeln!(f, "\nWhere only expiry ends a login, tokens lived for {life} ms in this experiment.")?;
        }
        Ok(())
    }
}

/// Its row, and a line below it if there is something to be said.
impl Display for RevocationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { strategy, promise, bound_ms, trials, probe_every_us, .. } = self;
        let (same, other) = (self.same_node(), self.other_node());
        write!(f, "{strategy:<15} {promise:<9} {bound_ms:>5} {trials:>6} {probe_every_us:>5}  {same}  {other}")?;
        let notes = self.notes();
        if notes.is_empty() { Ok(()) } else { write!(f, "\n    {}", notes.join("; ")) }
    }
}

/// The figures of one node.
struct NodeColumns {
    accepted: u64,
    still_accepted: u64,
    last: StalenessPercentiles,
    refused_from: Option<f64>,
}

impl Display for NodeColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = if self.still_accepted > 0 { "≥" } else { "" };
        let StalenessPercentiles { p50, p99, max } = self.last;
        let [p50, p99, worst] = [p50, p99, max].map(|ms| format!("{least}{ms:.3}"));
        let refused_from = self.refused_from.map_or_else(|| "never".to_owned(), |ms| format!("{ms:.3}"));
        write!(f, "{:>8} {p50:>8} {p99:>8} {worst:>9} {refused_from:>8}", self.accepted)
    }
}

impl RevocationResult {
    fn same_node(&self) -> NodeColumns {
        NodeColumns {
            accepted: self.accepted_after_response.same_node,
            still_accepted: self.still_accepted.same_node,
            last: self.last_accept_after_response_ms.same_node,
            refused_from: self.refused_from_ms.same_node.max,
        }
    }

    fn other_node(&self) -> NodeColumns {
        NodeColumns {
            accepted: self.accepted_after_response.other_node,
            still_accepted: self.still_accepted.other_node,
            last: self.last_accept_after_response_ms.other_node,
            refused_from: self.refused_from_ms.other_node.max,
        }
    }

    /// What must be known about the figures.
    fn notes(&self) -> Vec<String> {
        let both = |ByNode { same_node, other_node }: ByNode<u64>| same_node + other_node;
        let counted = |count: u64, words: &str| (count > 0).then(|| format!("{count} {words}"));
        let broken = (!self.within_bound).then(|| "NOT WITHIN THE BOUND".to_owned());
        let still = counted(both(self.still_accepted), "times still accepted when the asking ended");
        let unavailable = counted(both(self.unavailable), "questions without an answer");
        let left_out = counted(both(self.skipped), "questions left out as too many waited");
        [broken, still, unavailable, left_out].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labs::revocation::RefusalPercentiles;

    /// Two trials in which the push never came, and some questions got no answer.
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
    fn a_row_says_what_is_known_and_below_it_what_is_not() {
        let shown = lost().to_string();
        let (row, notes) = shown.split_once('\n').expect("a note");
        let cells: Vec<_> = row.split_whitespace().collect();
        let (same, other) =
            (["0", "0.000", "0.000", "0.000", "8.250"], ["23997", "≥600.125", "≥600.125", "≥600.125", "never"]);
        assert_eq!(cells[..5], ["session-tracked", "push", "500", "2", "50"]);
        assert_eq!((&cells[5..10], &cells[10..]), (&same[..], &other[..]));
        assert_eq!(
            notes.trim(),
            "NOT WITHIN THE BOUND; 2 times still accepted when the asking ended; 3 questions without an answer; \
             4 questions left out as too many waited"
        );
        let good = RevocationResult { still_accepted: ByNode::default(), unavailable: ByNode::default(), ..lost() };
        let good = RevocationResult { skipped: ByNode::default(), within_bound: true, ..good };
        assert!(!good.to_string().contains(['≥', '\n']), "{good}");
    }

    #[test]
    fn the_table_is_not_wider_than_a_terminal() {
        let table = RevocationReport { results: vec![lost()] }.to_string();
        let widest = table.lines().filter(|line| !line.starts_with("    NOT")).map(|line| line.chars().count()).max();
        assert!(widest <= Some(140), "{table}");
    }
}
