//! Tells the security log what requests do.

use poem::Request;

use super::client::client_address;
use super::state::{AppState, Services};
use crate::auth::Failure;
use crate::error::Error;
use crate::security_log::{EventSource, RequestId, SecurityEvent, record};

/// The longest text that a line takes from a request, in characters.
const LONGEST: usize = 128;

/// Notes in the request where its events come from. The mount's context adds the login.
pub(super) fn begin(request: &mut Request, id: RequestId, mount: Option<&str>, state: &AppState) {
    let client_address = Some(client_address(request, &state.services.trusted_proxies));
    let mount = mount.map(Into::into);
    let source = EventSource { request_id: Some(id), mount, client_address, ..EventSource::default() };
    request.extensions_mut().insert(source);
}

/// Where the events of a request come from.
pub(super) fn source_of(request: &Request) -> EventSource {
    request.extensions().get().cloned().unwrap_or_default()
}

/// Tells the logs about an error that becomes an answer: the ordinary log about a fault of ours, the security log about
/// a refusal that may be part of an attack.
pub(super) fn log(error: &Error, source: &EventSource, path: &str, services: &Services) {
    match error {
        Error::Failure(Failure::Store(failed)) => services.outages.note(failed, path),
        // The node has logged what keeps it from the revoke.
        Error::Failure(Failure::RevokePending) => {}
        _ => error.log(path),
    }
    record_refusal(error, source, path);
}

/// Records a refusal that may be part of an attack.
pub(super) fn record_refusal(error: &Error, source: &EventSource, path: &str) {
    if let (Error::TooManyTries { .. } | Error::TooManyFailures(_), Some(retry_after_s)) = (error, error.retry_after())
    {
        record(source, &SecurityEvent::RateLimited { path: shortened(path), retry_after_s });
    }
}

/// Records a request that a browser sent from another site.
pub(super) fn record_cross_site(request: &Request, source: &EventSource) {
    let origin = request.headers().get("origin").and_then(|origin| origin.to_str().ok()?.parse::<url::Url>().ok());
    let event = SecurityEvent::CrossSiteRefused {
        path: shortened(request.uri().path()),
        origin: origin.map(|origin| shortened(&origin.origin().ascii_serialization())),
    };
    record(source, &event);
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
