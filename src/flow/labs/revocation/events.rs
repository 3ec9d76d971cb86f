//! The events of a live run, for the page's script.

use std::sync::Arc;

use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use serde_json::{Value, json};

use super::rows::row;
use crate::error::Error;
use crate::flow::labs::events::stream_of;
use crate::flow::state::AppState;
use crate::labs::revocation::ByNode;
use crate::labs::revocation::live::{CheckOutcome, LiveEvent, LiveRun};

/// `GET /labs/revocation/api/runs/{id}/events`.
#[handler]
pub(super) fn listen(
    Data(state): Data<&Arc<AppState>>,
    Path(id): Path<String>,
    request: &Request,
) -> Result<Response, Error> {
    let run = state.services.live_runs.find(&id).ok_or(Error::NotFound)?;
    Ok(stream_of(run, LiveRun::log, view, request))
}

fn view(run: &LiveRun, event: &LiveEvent) -> (&'static str, Value) {
    match event {
        LiveEvent::Tick { at_ms, outcomes } => ("tick", json!({ "at": at_ms, "outcomes": letters(outcomes) })),
        LiveEvent::Login { number, at_ms, state } => {
            let row = run.logins().get(*number).map(|description| row(description, *state));
            ("login", json!({ "number": number, "at": at_ms, "row": row }))
        }
    }
}

/// Two letters for each login: the outcome on the same node, and on the other.
fn letters(outcomes: &[ByNode<CheckOutcome>]) -> Vec<String> {
    let letter = |outcome| match outcome {
        CheckOutcome::Accepted => 'a',
        CheckOutcome::Refused => 'r',
        CheckOutcome::Unavailable => 'u',
    };
    outcomes.iter().map(|nodes| format!("{}{}", letter(nodes.same_node), letter(nodes.other_node))).collect()
}
