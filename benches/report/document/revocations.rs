//! The chapter on staleness, from the report of the revocation lab.

use std::fmt;

use jwt_vs_session::labs::figures::Staleness;
use serde::Deserialize;

/// The part of `lab revocation --format json` that the document needs.
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
    /// Older reports lack this and the next field.
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

    /// The cells about accepted probes.
    fn accepted(&self) -> String {
        let Self { strategy, promise, bound_ms, trials, .. } = self;
        let Nodes { same_node: same, other_node: other } = self.last_accept_after_response_ms;
        let at_least = |count: u64| if count > 0 { "≥ " } else { "" };
        let (same_mark, other_mark) =
            (at_least(self.still_accepted.same_node), at_least(self.still_accepted.other_node));
        let [p50, p99, worst] = [other.p50, other.p99, other.max].map(|ms| format!("{other_mark}{ms:.3}"));
        format!(
            "| `{strategy}` | {promise} | {bound_ms} | {trials} | {same_mark}{:.3} | {p50} | {p99} | {worst} |",
            same.max
        )
    }

    /// The cells about refused probes.
    fn refusals(&self) -> String {
        let cell = |of: fn(Nodes<Worst>) -> Worst| match self.refused_from_ms.map(of) {
            Some(Worst { max: Some(ms) }) => format!(" {ms:.3} |"),
            Some(Worst { max: None }) => " never |".to_owned(),
            None => "  |".to_owned(),
        };
        cell(|nodes| nodes.same_node) + &cell(|nodes| nodes.other_node)
    }
}

impl fmt::Display for StalenessChapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## How long a node accepted a revoked login\n")?;
        writeln!(f, "The last accepted probe after the answer to the revoke, in milliseconds.\n")?;
        let with_refusals = self.results.iter().any(|row| row.refused_from_ms.is_some());
        let (names, alignments) = if with_refusals { REFUSED_FROM } else { ("", "") };
        if with_refusals {
            writeln!(f, "{REFUSED_FROM_MEANS}\n")?;
        }
        writeln!(
            f,
            "| strategy | promise | bound | trials | same node, worst | other node, p50 | p99 | worst |{names}"
        )?;
        writeln!(f, "| --- | --- | --: | --: | --: | --: | --: | --: |{alignments}")?;
        for row in &self.results {
            let refusals = if with_refusals { row.refusals() } else { String::new() };
            writeln!(f, "{}{refusals}", row.accepted())?;
        }
        if let Some(life) = self.results.iter().find_map(|row| row.shortened_life_ms) {
            writeln!(f, "\nWhere only expiry ends a login, tokens lived {life} ms in this experiment.")?;
        }
        writeln!(f)
    }
}

const REFUSED_FROM: (&str, &str) = (" refused from, same node | other node |", " --: | --: |");

const REFUSED_FROM_MEANS: &str = "\
*Refused from*: the first probe after which every probe was refused, in the worst trial. The login ended at an unknown
moment between the last accepted probe and this one.";
