//! What happens in a run, told to the page's script.

use std::sync::Arc;

use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use serde_json::{Value, json};

use super::view::row;
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
    let run = state.services.runs.find(&id).ok_or(Error::NotFound)?;
    Ok(stream_of(run, LiveRun::log, told, request))
}

fn told(run: &LiveRun, event: &LiveEvent) -> (&'static str, Value) {
    match event {
        LiveEvent::Tick { at_ms, answers } => ("tick", json!({ "at": at_ms, "answers": letters(answers) })),
        LiveEvent::Lane { lane, at_ms, state } => {
            let row = run.lanes().get(*lane).map(|lane| row(lane, *state));
            ("lane", json!({ "lane": lane, "at": at_ms, "row": row }))
        }
    }
}

/// Two letters a lane: the same node's, the other one's.
fn letters(answers: &[ByNode<CheckOutcome>]) -> Vec<Value> {
    let letter = |answer| match answer {
        CheckOutcome::Accepted => 'y',
        CheckOutcome::Refused => 'n',
        CheckOutcome::Unavailable => '?',
    };
    answers.iter().map(|nodes| format!("{}{}", letter(nodes.same_node), letter(nodes.other_node)).into()).collect()
}
