//! The rows of a live run: a figure in large type, and what each node did.

use serde::Serialize;

use crate::auth::{CredentialKind, Description, Promise};
use crate::labs::revocation::ByNode;
use crate::labs::revocation::live::{CheckOutcome, LiveRun, LoginState, Observation};

/// A login of the run, for people.
#[derive(Serialize)]
pub(super) struct LiveRow {
    slug: &'static str,
    label: &'static str,
    /// Decides the colour.
    credential: CredentialKind,
    promise: String,
    /// Whether only expiry ends the login.
    expires: bool,
    /// `opening`, `open`, `revoking`, `revoked`, `refused` (at once or in time), `late`, `unavailable`.
    kind: &'static str,
    /// The staleness in large type, of the node where it is larger; empty before there is one.
    figure: String,
    /// What stands below the figure.
    note: String,
    same: String,
    other: String,
}

pub(super) fn rows(run: &LiveRun) -> Vec<LiveRow> {
    run.logins().iter().zip(run.states()).map(|(description, state)| row(description, state)).collect()
}

pub(super) fn row(description: &Description, state: LoginState) -> LiveRow {
    let row = LiveRow {
        slug: description.slug,
        label: description.texts.label,
        credential: description.kind,
        promise: promise(description.promise),
        expires: description.promise.only_expires(),
        kind: "opening",
        figure: String::new(),
        note: String::new(),
        same: String::new(),
        other: String::new(),
    };
    let both = |words: &str| (words.to_owned(), words.to_owned());
    match state {
        LoginState::Opening => row,
        LoginState::NotOpened => {
            let (same, other) = both("no login: a store does not answer");
            LiveRow { kind: "unavailable", note: "not opened".to_owned(), same, other, ..row }
        }
        LoginState::Open(nodes) => {
            LiveRow { kind: "open", same: first(nodes.same_node), other: first(nodes.other_node), ..row }
        }
        LoginState::Revoking => LiveRow { kind: "revoking", note: "revoking".to_owned(), ..row },
        LoginState::Revoked => {
            let waits = row.expires;
            let (same, other) = both(if waits { "revoked, but accepted until it expires" } else { "revoked" });
            let note = if waits { "still accepted" } else { "measuring" };
            LiveRow { kind: "revoked", note: note.to_owned(), same, other, ..row }
        }
        LoginState::Unknown => {
            let (same, other) = both("the revoke failed: whether the login is revoked is unknown");
            LiveRow { kind: "unavailable", note: "revoke failed".to_owned(), same, other, ..row }
        }
        LoginState::Settled { before, observed } => settled(row, description.promise, before, observed),
    }
}

fn settled(row: LiveRow, promise: Promise, before: ByNode<CheckOutcome>, observed: ByNode<Observation>) -> LiveRow {
    let bound = bound_ms(promise);
    let never = before.other_node == CheckOutcome::Refused;
    let unavailable = observed.same_node.unavailable + observed.other_node.unavailable;
    let worst = observed.same_node.last_accept_ms.max(observed.other_node.last_accept_ms);
    #[allow(clippy::cast_precision_loss)] // bounds are far below 2^52 ms
    let within = worst <= bound as f64;
    let still = observed.same_node.still_accepted() || observed.other_node.still_accepted();
    let kept = within && !still;
    let silent = observed.same_node.is_silent() || (observed.other_node.is_silent() && !never);
    if kept && silent {
        let (same, other) = (words(observed.same_node), words(observed.other_node));
        return LiveRow { kind: "unavailable", note: "no answer".to_owned(), same, other, ..row };
    }
    let kind = match (kept, unavailable) {
        (false, _) => "late",
        (true, 0) => "refused",
        (true, _) => "unavailable",
    };
    let note = match (kept, never) {
        (false, _) if still => "still accepted",
        (false, _) => "later than promised",
        (true, true) => "on one node only",
        (true, false) if worst > 0.0 => "last accepted",
        (true, false) => "refused at once",
    };
    let other = if never { "never accepted this login".to_owned() } else { words(observed.other_node) };
    let other_refused = observed.other_node.refused_from_ms.filter(|_| !never);
    // Without an accepted probe: the first probe was refused, and the login ended before it was sent.
    let figure = match observed.same_node.refused_from_ms.into_iter().chain(other_refused).reduce(f64::max) {
        _ if still => format!("≥ {}", figure(worst)),
        Some(refused) if worst <= 0.0 => format!("< {}", figure(refused)),
        _ => figure(worst),
    };
    LiveRow { kind, figure, note: note.to_owned(), same: words(observed.same_node), other, ..row }
}

fn promise(promise: Promise) -> String {
    match promise {
        Promise::Immediate => "next request".to_owned(),
        Promise::Push { bound_ms } => format!("push, ≤ {}", whole(bound_ms)),
        Promise::Expiry { bound_ms } => format!("expiry, ≤ {}", whole(bound_ms)),
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
        CheckOutcome::Refused => "never accepted this login",
        CheckOutcome::Unavailable => "unavailable",
    };
    words.to_owned()
}

fn words(observed: Observation) -> String {
    if observed.is_silent() {
        return "unknown: every probe was unavailable".to_owned();
    }
    let last = figure(observed.last_accept_ms);
    let accepted = match (observed.accepted, observed.refused_from_ms.map(figure)) {
        (0, from) => format!("refused the first probe, at {}", from.unwrap_or_default()),
        (count, Some(from)) => {
            format!("accepted {count} probes, the last at {last}; refused all from {from} on")
        }
        (count, None) => format!("accepted {count} probes, the last at {last}, and refused none since"),
    };
    match observed.unavailable {
        0 => accepted,
        count => format!("{accepted}; {count} of {} probes unavailable", observed.probes),
    }
}

/// Formats a figure with few digits, for people far from the screen.
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

    /// A login with a push within 500 ms. The node that revoked it refused at once.
    fn pushed(other_node: Observation) -> LiveRow {
        let clock = Clock::system();
        let limits = SessionLimits { idle: Duration::from_mins(1), absolute: Duration::from_mins(1) };
        let strategy = SessionStrategy::in_process(Arc::new(MemorySessions::new(clock.clone())), limits, clock);
        let description = Description { promise: Promise::Push { bound_ms: 500 }, ..strategy.describe().clone() };
        let before = ByNode { same_node: CheckOutcome::Accepted, other_node: CheckOutcome::Accepted };
        let same_node = Observation { probes: 9, refused_from_ms: Some(0.07), ..Observation::default() };
        row(&description, LoginState::Settled { before, observed: ByNode { same_node, other_node } })
    }

    #[test]
    fn a_push_that_came_is_shown_with_the_last_accepted_and_the_first_refused_probe() {
        let came = pushed(Observation {
            probes: 9,
            accepted: 2,
            last_accept_ms: 0.31,
            refused_from_ms: Some(8.4),
            ..Observation::default()
        });
        assert_eq!((came.kind, came.figure.as_str(), came.note.as_str()), ("refused", "0.31 ms", "last accepted"));
        assert_eq!(came.same, "refused the first probe, at 0.07 ms");
        assert_eq!(came.other, "accepted 2 probes, the last at 0.31 ms; refused all from 8.40 ms on");
    }

    #[test]
    fn a_push_that_never_came_is_not_called_refused() {
        // Within the bound as far as it was probed; what came then is unknown.
        let observed = Observation { probes: 9, accepted: 9, last_accept_ms: 25.0, ..Observation::default() };
        let lost = pushed(observed);
        assert_eq!((lost.kind, lost.figure.as_str(), lost.note.as_str()), ("late", "≥ 25 ms", "still accepted"));
        assert!(lost.other.ends_with("the last at 25 ms, and refused none since"), "{}", lost.other);
    }
}
