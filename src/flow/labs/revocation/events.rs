//! What happens in a run, told to the page's script.

use std::sync::Arc;

use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use serde_json::{Value, json};

use super::view::row;
use crate::error::Error;
use crate::flow::labs::events::stream_of;
use crate::flow::site::Site;
use crate::labs::live::{Answer, Event, Run};
use crate::labs::revocation::ByNode;

/// `GET /labs/revocation/api/runs/{id}/events`.
#[handler]
pub(super) fn listen(
    Data(site): Data<&Arc<Site>>,
    Path(id): Path<String>,
    request: &Request,
) -> Result<Response, Error> {
    let run = site.shared.runs.find(&id).ok_or(Error::NotFound)?;
    Ok(stream_of(run, Run::log, told, request))
}

fn told(run: &Run, event: &Event) -> (&'static str, Value) {
    match event {
        Event::Tick { at_ms, answers } => ("tick", json!({ "at": at_ms, "answers": letters(answers) })),
        Event::Lane { lane, at_ms, state } => {
            let row = run.lanes().get(*lane).map(|lane| row(lane, *state));
            ("lane", json!({ "lane": lane, "at": at_ms, "row": row }))
        }
    }
}

/// Two letters a lane: the same node's, the other one's.
fn letters(answers: &[ByNode<Answer>]) -> Vec<Value> {
    let letter = |answer| match answer {
        Answer::Accepted => 'y',
        Answer::Refused => 'n',
        Answer::Unavailable => '?',
    };
    answers.iter().map(|nodes| format!("{}{}", letter(nodes.same_node), letter(nodes.other_node)).into()).collect()
}
