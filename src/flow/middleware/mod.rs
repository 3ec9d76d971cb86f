//! Around every route: the host, the body limit, the cross-site check, security headers, metrics, and answers to errors.

mod cross_site;
mod error_page;
mod headers;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt as _;
use poem::http::{Method, Uri, header};
use poem::{Body, Endpoint, IntoResponse as _, Request, Response};
use tracing::Instrument as _;

pub(super) use self::error_page::{ErrorPage, bare, problem, with_headers};
use self::headers::AnswerHeaders;
use super::metrics::RequestMetrics;
use super::security;
use super::state::{AppState, Mount};
use crate::error::Error;
use crate::security_log::{EventSource, RequestId};

/// The longest body, in bytes. A form has a few hundred bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// Puts the routes inside the middleware.
pub(super) fn wrap<E: Endpoint>(routes: E, state: &Arc<AppState>) -> AppMiddleware<E> {
    let metrics = |mount: &Arc<Mount>| RequestMetrics::new(mount.base());
    AppMiddleware {
        routes,
        headers: AnswerHeaders::new(&state.services),
        metrics: state.mounts().iter().map(metrics).collect(),
        other_metrics: RequestMetrics::new("/"),
        state: state.clone(),
    }
}

/// The routes inside the middleware.
pub(super) struct AppMiddleware<E> {
    routes: E,
    state: Arc<AppState>,
    headers: AnswerHeaders,
    /// In the order of the mounts.
    metrics: Vec<RequestMetrics>,
    other_metrics: RequestMetrics,
}

impl<E: Endpoint> Endpoint for AppMiddleware<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let begun = Instant::now();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let mount = self.state.mounts().iter().position(|mount| below(uri.path(), mount.base()));
        let id = RequestId::random();
        request.extensions_mut().insert(self.state.clone());
        security::begin(&mut request, id, mount.map(|mount| self.state.mounts()[mount].base()), &self.state);
        // Every line of the ordinary log that this request causes names it.
        let span = tracing::error_span!("request", %id);
        let mut response = self.answered(request, &uri).instrument(span).await;
        self.headers.add(response.headers_mut(), id);
        if mount.is_some() {
            headers::time(response.headers_mut(), begun.elapsed());
        }
        let metrics = mount.map_or(&self.other_metrics, |mount| &self.metrics[mount]);
        metrics.count(&method, response.status(), begun.elapsed());
        Ok(response)
    }
}

impl<E: Endpoint> AppMiddleware<E> {
    async fn answered(&self, request: Request, uri: &Uri) -> Response {
        let source = security::source_of(&request);
        match self.checked(request, &source).await {
            Ok(response) => response,
            Err(error) => self.failed(&error, uri.path(), &source),
        }
    }

    async fn checked(&self, mut request: Request, source: &EventSource) -> Result<Response, Error> {
        self.state.services.hosts.check(&mut request)?;
        if !is_safe(request.method()) {
            cross_site::check(&request, &self.state.services.public_url)
                .inspect_err(|_| security::record_cross_site(&request, source))?;
            limit_body(&mut request).await?;
        }
        let answer = caught(async { Ok(self.routes.call(request).await?.into_response()) });
        answer.await.map_err(Error::from_poem)
    }

    /// The answer to an error outside a mount's routes. Inside, the request context answers.
    fn failed(&self, error: &Error, path: &str, source: &EventSource) -> Response {
        security::log(error, source, path, &self.state.services);
        if path.contains("/api/") {
            return problem(error, "Bearer");
        }
        error_page::page(error, &self.state.services, source.request_id)
    }
}

/// RFC 9110, 9.2.1.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn below(path: &str, base: &str) -> bool {
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads the whole body, up to the limit, with or without a `Content-Length`.
async fn limit_body(request: &mut Request) -> Result<(), Error> {
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_LIMIT) {
        return Err(Error::TooLarge);
    }
    let bytes = request.take_body().into_bytes_limit(BODY_LIMIT).await.map_err(|error| match error {
        poem::error::ReadBodyError::PayloadTooLarge => Error::TooLarge,
        other => Error::BadRequest(format!("The server could not read the body: {other}.")),
    })?;
    request.set_body(Body::from_bytes(bytes));
    Ok(())
}

/// Turns a panic into an error. Without this poem drops the connection without an answer.
pub(super) async fn caught(answer: impl Future<Output = poem::Result<Response>>) -> poem::Result<Response> {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|panic| {
        let text =
            panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::Internal(format!("panicked: {}", text.unwrap_or_default())).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_of_ours() {
        let answer = caught(async { panic!("the cat is on the keyboard") }).await;
        let error = Error::from_poem(answer.expect_err("it panicked"));
        assert!(matches!(&error, Error::Internal(detail) if detail.contains("cat")), "{error}");
        assert!(!error.sentence().contains("cat"), "no inner detail");
    }

    #[test]
    fn a_path_is_below_a_mount_by_whole_names() {
        assert!(below("/jwt/profile", "/jwt") && below("/jwt", "/jwt"));
        assert!(!below("/jwt-blocklist/profile", "/jwt"));
    }
}
