//! A run in words: the table, and the large figure of every lane.

use serde::Serialize;

use crate::auth::{CredentialKind, Description, Promise};
use crate::labs::revocation::ByNode;
use crate::labs::revocation::live::{CheckOutcome, LiveRun, LoginState, Observation};

/// A lane, for people.
#[derive(Serialize)]
pub(super) struct LiveRow {
    slug: &'static str,
    label: &'static str,
    /// What the browser holds: it decides the colour.
    credential: CredentialKind,
    promise: String,
    /// `opening`, `open`, `revoked`, `refused` (at once or in time), `late`, `unavailable`.
    kind: &'static str,
    /// The figure in large type, of the node where it is larger; empty before there is one.
    figure: String,
    /// What stands below the figure.
    note: String,
    same: String,
    other: String,
    /// When a token that cannot be revoked ends, on the run's clock.
    ends_at_ms: Option<u64>,
}

/// Every lane as it stands.
pub(super) fn rows(run: &LiveRun) -> Vec<LiveRow> {
    run.lanes().iter().zip(run.states()).map(|(lane, state)| row(lane, state)).collect()
}

/// One lane.
pub(super) fn row(lane: &Description, state: LoginState) -> LiveRow {
    let row = LiveRow {
        slug: lane.slug,
        label: lane.texts.label,
        credential: lane.kind,
        promise: promise(lane.promise),
        kind: "opening",
        figure: String::new(),
        note: String::new(),
        same: String::new(),
        other: String::new(),
        ends_at_ms: None,
    };
    let both = |words: &str| (words.to_owned(), words.to_owned());
    match state {
        LoginState::Opening => row,
        LoginState::NotOpened => {
            let (same, other) = both("no login could be opened: a store does not answer");
            LiveRow { kind: "unavailable", note: "not opened".to_owned(), same, other, ..row }
        }
        LoginState::Open(nodes) => {
            LiveRow { kind: "open", same: first(nodes.same_node), other: first(nodes.other_node), ..row }
        }
        LoginState::Revoked { ends_at_ms } => {
            let waits = ends_at_ms.is_some();
            let (same, other) = both(if waits { "revoked, and accepted until it expires" } else { "revoked" });
            let note = if waits { "until exp" } else { "measuring" };
            LiveRow { kind: "revoked", note: note.to_owned(), same, other, ends_at_ms, ..row }
        }
        LoginState::Unknown => {
            let (same, other) = both("the revoke failed: nobody knows whether it was carried out");
            LiveRow { kind: "unavailable", note: "revoke failed".to_owned(), same, other, ..row }
        }
        LoginState::Settled { before, readings } => settled(row, lane.promise, before, readings),
    }
}

fn settled(row: LiveRow, promise: Promise, before: ByNode<CheckOutcome>, readings: ByNode<Observation>) -> LiveRow {
    let bound = bound_ms(promise);
    let never = before.other_node == CheckOutcome::Refused;
    let unavailable = readings.same_node.unavailable + readings.other_node.unavailable;
    let worst = readings.same_node.last_accept_ms.max(readings.other_node.last_accept_ms);
    #[allow(clippy::cast_precision_loss)] // bounds are far below 2^52 ms
    let within = worst <= bound as f64;
    let still = readings.same_node.still_accepted() || readings.other_node.still_accepted();
    let kept = within && !still;
    let silent = readings.same_node.is_silent() || (readings.other_node.is_silent() && !never);
    if kept && silent {
        let (same, other) = (read(readings.same_node), read(readings.other_node));
        return LiveRow { kind: "unavailable", note: "no answer".to_owned(), same, other, ..row };
    }
    let kind = match (kept, unavailable) {
        (false, _) => "late",
        (true, 0) => "refused",
        (true, _) => "unavailable",
    };
    let note = match (kept, never) {
        (false, _) if still => "still accepted",
        (false, _) => "broken promise",
        (true, true) => "one node only",
        (true, false) if worst > 0.0 => "after the revoke",
        (true, false) => "refused at once",
    };
    let other = if never { "never knew this login".to_owned() } else { read(readings.other_node) };
    let figure = if still { format!("≥ {}", figure(worst)) } else { figure(worst) };
    LiveRow { kind, figure, note: note.to_owned(), same: read(readings.same_node), other, ..row }
}

fn promise(promise: Promise) -> String {
    match promise {
        Promise::Immediate => "next request".to_owned(),
        Promise::Push { bound_ms } => format!("push, ≤ {}", whole(bound_ms)),
        Promise::Expiry { bound_ms } => format!("at exp, ≤ {}", whole(bound_ms)),
    }
}

fn bound_ms(promise: Promise) -> u64 {
    match promise {
        Promise::Immediate => 0,
        Promise::Push { bound_ms } | Promise::Expiry { bound_ms } => bound_ms,
    }
}

fn whole(ms: u64) -> String {
    if ms.is_multiple_of(1000) { format!("{} s", ms / 1000) } else { format!("{ms} ms") }
}

fn first(answer: CheckOutcome) -> String {
    let words = match answer {
        CheckOutcome::Accepted => "accepted",
        CheckOutcome::Refused => "never knew this login",
        CheckOutcome::Unavailable => "does not answer",
    };
    words.to_owned()
}

fn read(reading: Observation) -> String {
    if reading.is_silent() {
        return "no question was answered: nobody knows".to_owned();
    }
    let last = figure(reading.last_accept_ms);
    let accepted = match (reading.accepted, reading.refused_from_ms.map(figure)) {
        (0, from) => format!("refused at once, at the first question {} after", from.unwrap_or_default()),
        (count, Some(from)) => {
            format!("accepted {count} more times, the last {last} after, and refused from {from} on")
        }
        (count, None) => format!("accepted {count} more times, the last {last} after, and still when the asking ended"),
    };
    match reading.unavailable {
        0 => accepted,
        count => format!("{accepted}; {count} of {} questions without an answer", reading.probes),
    }
}

/// As exactly as one can read it from the last row.
fn figure(ms: f64) -> String {
    if ms <= 0.0 {
        "0 ms".to_owned()
    } else if ms < 10.0 {
        format!("{ms:.2} ms")
    } else if ms < 1000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::auth::{AuthStrategy as _, SessionLimits, SessionStrategy};
    use crate::clock::Clock;
    use crate::store::sessions::MemorySessions;

    /// A lane with a push within 500 ms; the revoking node refused at once, the other one answered this.
    fn pushed(other_node: Observation) -> LiveRow {
        let clock = Clock::system();
        let limits = SessionLimits { idle: Duration::from_mins(1), absolute: Duration::from_mins(1) };
        let strategy = SessionStrategy::in_process(Arc::new(MemorySessions::new(clock.clone())), limits, clock);
        let lane = Description { promise: Promise::Push { bound_ms: 500 }, ..strategy.describe().clone() };
        let before = ByNode { same_node: CheckOutcome::Accepted, other_node: CheckOutcome::Accepted };
        let same_node = Observation { probes: 9, refused_from_ms: Some(0.07), ..Observation::default() };
        row(&lane, LoginState::Settled { before, readings: ByNode { same_node, other_node } })
    }

    #[test]
    fn a_push_that_came_is_shown_with_what_is_known_of_its_time() {
        let came = pushed(Observation {
            probes: 9,
            accepted: 2,
            last_accept_ms: 0.31,
            refused_from_ms: Some(8.4),
            ..Observation::default()
        });
        assert_eq!((came.kind, came.figure.as_str(), came.note.as_str()), ("refused", "0.31 ms", "after the revoke"));
        assert_eq!(came.same, "refused at once, at the first question 0.07 ms after");
        assert_eq!(came.other, "accepted 2 more times, the last 0.31 ms after, and refused from 8.40 ms on");
    }

    #[test]
    fn a_push_that_never_came_is_not_called_refused() {
        // Within the bound as far as it was asked for, and nobody knows what came then.
        let reading = Observation { probes: 9, accepted: 9, last_accept_ms: 25.0, ..Observation::default() };
        let lost = pushed(reading);
        assert_eq!((lost.kind, lost.figure.as_str(), lost.note.as_str()), ("late", "≥ 25 ms", "still accepted"));
        assert!(lost.other.ends_with("the last 25 ms after, and still when the asking ended"), "{}", lost.other);
    }
}
