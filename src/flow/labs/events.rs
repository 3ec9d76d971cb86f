//! What happens in a run, as server-sent events, from the first or from where it broke off.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;

use futures_util::stream;
use poem::http::header;
use poem::{Body, Request, Response};
use serde_json::Value;

use crate::labs::event_log::EventLog;

/// The events of a run as they come, each with its number; the last is `end`.
pub(super) fn stream_of<R: Send + Sync + 'static, E: Clone + Send + 'static>(
    run: Arc<R>,
    log: fn(&R) -> &EventLog<E>,
    told: fn(&R, &E) -> (&'static str, Value),
    request: &Request,
) -> Response {
    let last = request.headers().get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<usize>().ok());
    let listener = log(&run).read_from(last.map_or(0, |last| last.saturating_add(1)));
    let events = stream::unfold(Some((run, listener)), move |listening| async move {
        let (run, mut listener) = listening?;
        match log(&run).next(&mut listener).await {
            Some((from, events)) => {
                let mut text = String::new();
                for (number, event) in (from..).zip(&events) {
                    let (name, data) = told(&run, event);
                    let _ = write!(text, "id: {number}\nevent: {name}\ndata: {data}\n\n");
                }
                Some((Ok::<_, io::Error>(text), Some((run, listener))))
            }
            None => Some((Ok("event: end\ndata: {}\n\n".to_owned()), None)),
        }
    });
    Response::builder()
        .header(header::CONTENT_TYPE, "text/event-stream")
        .header(header::CACHE_CONTROL, "no-store")
        .header("x-accel-buffering", "no")
        .body(Body::from_bytes_stream(events))
}
