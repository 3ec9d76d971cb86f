//! The answer to an error: a page for people, problem+json (RFC 9457) for programs. Neither has inner detail.

use poem::Response;
use poem::error::ResponseError as _;
use poem::http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::auth::Failure;
use crate::error::Error;
use crate::flow::state::Services;
use crate::page::{self, Frame};
use crate::security_log::RequestId;

/// The variables of `error.html`.
#[derive(Serialize)]
pub(in crate::flow) struct ErrorPage {
    status: u16,
    pub heading: &'static str,
    message: String,
    retry: Option<String>,
    /// Of a fault of ours, so that somebody who reports it can name it.
    request: Option<RequestId>,
    links: Vec<ErrorLink>,
}

#[derive(Serialize)]
struct ErrorLink {
    href: String,
    text: &'static str,
}

impl ErrorPage {
    pub fn new(error: &Error, back: String, request: Option<RequestId>) -> Self {
        let status = error.status();
        let links = vec![ErrorLink { href: back, text: "Back to the start" }];
        // Of an outage the log has one line, and not one for each request.
        let is_outage = matches!(error, Error::Failure(Failure::Store(_) | Failure::RevokePending));
        let request = request.filter(|_| status.is_server_error() && !is_outage);
        let (message, retry) = (error.sentence(), error.retry_words());
        Self { status: status.as_u16(), heading: heading(status), message, retry, request, links }
    }
}

fn heading(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST => "Refused",
        StatusCode::TOO_MANY_REQUESTS => "Slow down",
        StatusCode::SERVICE_UNAVAILABLE => "Not available right now",
        status if status.is_server_error() => "Our fault",
        _ => "That did not work",
    }
}

/// The error page outside the mounts.
pub(super) fn page(error: &Error, services: &Services, request: Option<RequestId>) -> Response {
    let status = error.status();
    let context = ErrorPage::new(error, "/".to_owned(), request);
    let frame = Frame::plain(context.heading, &services.node);
    let rendered =
        services.pages.content("error.html", &context).and_then(|content| services.pages.framed(frame, &content));
    let response = rendered.map_or_else(|_| bare(status), |text| page::html(status, text));
    with_headers(response, error)
}

/// The error as problem+json. `challenge` is the scheme that a 401 names (RFC 9110, 15.5.2).
pub(in crate::flow) fn problem(error: &Error, challenge: &'static str) -> Response {
    let status = error.status();
    let body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "detail": error.sentence(),
    });
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/problem+json")
        .header(header::CACHE_CONTROL, "no-store");
    if status == StatusCode::UNAUTHORIZED {
        response = response.header(header::WWW_AUTHENTICATE, challenge);
    }
    with_headers(response.body(body.to_string()), error)
}

/// The page when even the error page fails.
pub(in crate::flow) fn bare(status: StatusCode) -> Response {
    page::html(status, "<!doctype html><title>Error</title><h1>Something went wrong</h1>".to_owned())
}

/// Adds the headers that belong to the error.
pub(in crate::flow) fn with_headers(mut response: Response, error: &Error) -> Response {
    if let Some(value) = error.retry_after().and_then(|seconds| seconds.to_string().parse().ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    if let Error::MethodNotAllowed { allow } = error {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    response
}
