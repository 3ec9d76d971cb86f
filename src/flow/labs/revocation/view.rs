//! A run in words: the table, and the large figure of every lane.

use serde::Serialize;

use crate::auth::{Description, Promise};
use crate::labs::live::{Answer, Reading, Run, State};
use crate::labs::revocation::ByNode;

/// A lane, for people.
#[derive(Serialize)]
pub(super) struct Row {
    slug: &'static str,
    label: &'static str,
    /// Whether it is a token.
    bearer: bool,
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
pub(super) fn rows(run: &Run) -> Vec<Row> {
    run.lanes().iter().zip(run.states()).map(|(lane, state)| row(lane, state)).collect()
}

/// One lane.
pub(super) fn row(lane: &Description, state: State) -> Row {
    let row = Row {
        slug: lane.slug,
        label: lane.label,
        bearer: lane.carrier.bearer,
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
        State::Opening => row,
        State::NotOpened => {
            let (same, other) = both("no login could be opened: a store does not answer");
            Row { kind: "unavailable", note: "not opened".to_owned(), same, other, ..row }
        }
        State::Open(nodes) => Row { kind: "open", same: first(nodes.same_node), other: first(nodes.other_node), ..row },
        State::Revoked { ends_at_ms } => {
            let waits = ends_at_ms.is_some();
            let (same, other) = both(if waits { "revoked, and accepted until it expires" } else { "revoked" });
            let note = if waits { "until exp" } else { "measuring" };
            Row { kind: "revoked", note: note.to_owned(), same, other, ends_at_ms, ..row }
        }
        State::Unknown => {
            let (same, other) = both("the revoke failed: nobody knows whether it was carried out");
            Row { kind: "unavailable", note: "revoke failed".to_owned(), same, other, ..row }
        }
        State::Settled { before, readings } => settled(row, lane.promise, before, readings),
    }
}

fn settled(row: Row, promise: Promise, before: ByNode<Answer>, readings: ByNode<Reading>) -> Row {
    let bound = bound_ms(promise);
    let never = before.other_node == Answer::Refused;
    let unavailable = readings.same_node.unavailable + readings.other_node.unavailable;
    let worst = readings.same_node.last_accept_ms.max(readings.other_node.last_accept_ms);
    #[allow(clippy::cast_precision_loss)] // bounds are far below 2^52 ms
    let kept = worst <= bound as f64;
    let silent = readings.same_node.says_nothing() || (readings.other_node.says_nothing() && !never);
    if silent {
        let (same, other) = (read(readings.same_node), read(readings.other_node));
        return Row { kind: "unavailable", note: "no answer".to_owned(), same, other, ..row };
    }
    let kind = match (kept, unavailable) {
        (false, _) => "late",
        (true, 0) => "refused",
        (true, _) => "unavailable",
    };
    let note = match (kept, never) {
        (false, _) => "broken promise",
        (true, true) => "one node only",
        (true, false) if worst > 0.0 => "after the revoke",
        (true, false) => "refused at once",
    };
    let other = if never { "never knew this login".to_owned() } else { read(readings.other_node) };
    Row { kind, figure: figure(worst), note: note.to_owned(), same: read(readings.same_node), other, ..row }
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

fn first(answer: Answer) -> String {
    let words = match answer {
        Answer::Accepted => "accepted",
        Answer::Refused => "never knew this login",
        Answer::Unavailable => "does not answer",
    };
    words.to_owned()
}

fn read(reading: Reading) -> String {
    if reading.says_nothing() {
        return "no question was answered: nobody knows".to_owned();
    }
    let accepted = match reading.accepted {
        0 => "refused at once".to_owned(),
        count => format!("accepted {count} more times, the last {} after", figure(reading.last_accept_ms)),
    };
    match reading.unavailable {
        0 => accepted,
        count => format!("{accepted}; {count} of {} questions without an answer", reading.asked),
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
