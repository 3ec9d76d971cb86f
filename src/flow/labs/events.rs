//! The events of a run as server-sent events, from the first or from where the connection broke.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use poem::web::sse::{Event, SSE};
use poem::{Request, Response};
use serde_json::Value;

use crate::flow::events::event_stream;
use crate::labs::event_log::EventLog;

/// Streams the events as they come, each with its number as the id. The last event is `end`.
pub(super) fn stream_of<R: Send + Sync + 'static, E: Clone + Send + 'static>(
    run: Arc<R>,
    log: fn(&R) -> &EventLog<E>,
    view: fn(&R, &E) -> (&'static str, Value),
    request: &Request,
) -> Response {
    let last = request.headers().get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<usize>().ok());
    let reader = log(&run).read_from(last.map_or(0, |last| last.saturating_add(1)));
    let batches = stream::unfold(Some((run, reader)), move |state| async move {
        let (run, mut reader) = state?;
        let Some((first, events)) = log(&run).next(&mut reader).await else {
            return Some((vec![Event::message("{}").event_type("end")], None));
        };
        let event = |(number, event): (usize, &E)| {
            let (name, data) = view(&run, event);
            Event::message(data.to_string()).event_type(name).id(number.to_string())
        };
        let events = (first..).zip(&events).map(event).collect();
        Some((events, Some((run, reader))))
    });
    event_stream(SSE::new(batches.flat_map(stream::iter)))
}
