//! `GET M/events`: tells an open page that its login has ended (server-sent events), where the strategy can know.

use std::time::Duration;

use futures_util::stream;
use poem::http::{HeaderValue, header};
use poem::web::sse::{Event, SSE};
use poem::{IntoResponse as _, Response, handler};
use tokio::time::Instant;

use super::context::RequestContext;
use super::login_events::LoginEventStream;
use crate::auth::Promise;
use crate::error::Error;
use crate::trace::Trace;

/// How often a stream checks its login when it hears nothing: another node may have revoked it.
const CHECK_EVERY: Duration = Duration::from_secs(2);

/// A stream ends after this long; the browser opens the next one.
const LIFE: Duration = Duration::from_mins(5);

/// One stream.
struct LoginWatch {
    request: RequestContext,
    events: LoginEventStream,
    until: Instant,
}

/// Sends one event, `ended`, when the login is no longer accepted. A store that does not answer sends nothing.
#[handler]
pub(super) fn listen(request: RequestContext) -> Result<Response, Error> {
    if matches!(request.strategy().describe().promise, Promise::Expiry { .. }) {
        return Err(Error::NotFound);
    }
    // A request without a credential hears `ended` at once, and keeps its place for a moment only.
    let events = request.services().login_events.subscribe(request.credential().unwrap_or_default());
    let watch = LoginWatch { request, events, until: Instant::now() + LIFE };
    let events = stream::unfold(Some(watch), async |watch| {
        let mut watch = watch?;
        watch.ended().await.then(|| (Event::message("this login has ended").event_type("ended"), None))
    });
    Ok(event_stream(SSE::new(events).keep_alive(Duration::from_secs(20))))
}

/// The answer with these events. Proxies pass each on at once: poem adds `X-Accel-Buffering`.
pub(super) fn event_stream(events: SSE) -> Response {
    let mut response = events.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl LoginWatch {
    /// Waits until the login has ended; false if the stream ends before.
    async fn ended(&mut self) -> bool {
        while Instant::now() < self.until && !self.events.is_closing() {
            self.events.begin_check();
            if let Ok(None) = self.request.check_passively(&Trace::off()).await {
                return true;
            }
            if !self.events.wait(CHECK_EVERY).await {
                return false;
            }
        }
        false
    }
}
