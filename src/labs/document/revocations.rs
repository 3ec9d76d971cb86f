//! How long a revoked login was accepted, as the revocation lab reported it.

use std::fmt;

use serde::Deserialize;

use crate::labs::figures::Staleness;

/// The report of `lab revocation --format json`, as much as is needed.
#[derive(Clone, Debug, Deserialize)]
pub struct StalenessChapter {
    results: Vec<StalenessRow>,
}

#[derive(Clone, Debug, Deserialize)]
struct StalenessRow {
    strategy: String,
    promise: String,
    bound_ms: f64,
    trials: u64,
    shortened_life_ms: Option<f64>,
    last_accept_after_response_ms: Nodes<StalenessCells>,
    /// Not in older reports, like the next one.
    refused_from_ms: Option<Nodes<Worst>>,
    #[serde(default)]
    still_accepted: Nodes<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
struct Nodes<T> {
    same_node: T,
    other_node: T,
}

/// `None`: a trial ended without a refusal.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Worst {
    max: Option<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct StalenessCells {
    p50: f64,
    p99: f64,
    max: f64,
}

impl StalenessChapter {
    /// Of a strategy, if it was measured.
    pub(super) fn staleness(&self, strategy: &str) -> Option<Staleness> {
        self.results.iter().find(|one| one.strategy == strategy).map(StalenessRow::staleness)
    }
}

impl StalenessRow {
    fn staleness(&self) -> Staleness {
        let Nodes { other_node, .. } = self.last_accept_after_response_ms;
        Staleness {
            p50: other_node.p50,
            worst: other_node.max,
            bound: self.bound_ms,
            shortened_life: self.shortened_life_ms,
            at_least: self.still_accepted.other_node > 0,
        }
    }

    /// The cells of what was accepted.
    fn accepted(&self) -> String {
        let Self { strategy, promise, bound_ms, trials, .. } = self;
        let Nodes { same_node: same, other_node: other } = self.last_accept_after_response_ms;
        let at_least = |count: u64| if count > 0 { "≥ " } else { "" };
        let (least, most) = (at_least(self.still_accepted.same_node), at_least(self.still_accepted.other_node));
        let [p50, p99, worst] = [other.p50, other.p99, other.max].map(|ms| format!("{most}{ms:.3}"));
        format!(
            "| `{strategy}` | {promise} | {bound_ms} | {trials} | {least}{:.3} | {p50} | {p99} | {worst} |",
            same.max
        )
    }

    /// The cells of when it was refused.
    fn refusals(&self) -> String {
        let cell = |of: fn(Nodes<Worst>) -> Worst| match self.refused_from_ms.map(of) {
            Some(Worst { max: Some(ms) }) => format!(" {ms:.3} |"),
            Some(Worst { max: None }) => " never |".to_owned(),
            None => "  |".to_owned(),
        };
        cell(|nodes| nodes.same_node) + &cell(|nodes| nodes.other_node)
    }
}

/// The chapter of the document.
impl fmt::Display for StalenessChapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## How long a revoked login was accepted\n")?;
        writeln!(f, "The last accepted question after the revoke was answered, in milliseconds.\n")?;
        let with_refusals = self.results.iter().any(|row| row.refused_from_ms.is_some());
        let (names, lines) = if with_refusals { REFUSED_FROM } else { ("", "") };
        if with_refusals {
            writeln!(f, "{BETWEEN}\n")?;
        }
        writeln!(
            f,
            "| strategy | promise | bound | trials | same node, worst | other node, p50 | p99 | worst |{names}"
        )?;
        writeln!(f, "| --- | --- | --: | --: | --: | --: | --: | --: |{lines}")?;
        for row in &self.results {
            let refusals = if with_refusals { row.refusals() } else { String::new() };
            writeln!(f, "{}{refusals}", row.accepted())?;
        }
        if let Some(life) = self.results.iter().find_map(|row| row.shortened_life_ms) {
            writeln!(f, "\nWhere only expiry ends a login, tokens lived for {life} ms in this experiment.")?;
        }
        writeln!(f)
    }
}

const REFUSED_FROM: (&str, &str) = (" refused from, same node | other node |", " --: | --: |");

const BETWEEN: &str = "\
*Refused from*: when the question was asked from which on all were refused, in the worst trial. Nobody knows when between
the last accepted question and that one a login ended.";
