//! What stands around every route: limits, the cross-site check, safe headers, and an answer for everything.

mod answer;
mod cross_site;
mod headers;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use poem::http::{Method, header};
use poem::{Body, Endpoint, IntoResponse as _, Request, Response};

pub(super) use self::answer::{ErrorPage, bare, problem, with_retry};
use super::state::AppState;
use crate::error::Error;

/// The largest body that is read: 64 KiB. A form has some hundred bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// Puts the guards around the routes.
pub(super) fn wrap<E: Endpoint>(routes: E, state: &Arc<AppState>) -> SiteMiddleware<E> {
    SiteMiddleware { routes, state: state.clone() }
}

/// See [`around`].
pub(super) struct SiteMiddleware<E> {
    routes: E,
    state: Arc<AppState>,
}

impl<E: Endpoint> Endpoint for SiteMiddleware<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let begun = Instant::now();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        request.extensions_mut().insert(self.state.clone());
        let mut response = match self.guarded(request).await {
            Ok(response) => response,
            Err(error) => self.failed(&error, &path),
        };
        headers::add(response.headers_mut(), &self.state.services);
        let mount = self.state.mounts().iter().map(|mount| mount.base()).find(|base| below(&path, base));
        if mount.is_some() {
            headers::time(response.headers_mut(), begun.elapsed());
        }
        count(mount.unwrap_or("/"), &method, &response, begun.elapsed());
        Ok(response)
    }
}

impl<E: Endpoint> SiteMiddleware<E> {
    async fn guarded(&self, mut request: Request) -> Result<Response, Error> {
        if !is_safe(request.method()) {
            cross_site::check(&request, &self.state.services.public_url)?;
            limit_body(&mut request).await?;
        }
        let answer = caught(async { Ok(self.routes.call(request).await?.into_response()) });
        answer.await.map_err(Error::from_poem)
    }

    /// Outside of the mounts; inside, the visit answers. A mount reaches this only by a refusal before its routes.
    fn failed(&self, error: &Error, path: &str) -> Response {
        error.log(path);
        if path.contains("/api/") {
            return problem(error, true);
        }
        answer::page(error, &self.state.services)
    }
}

fn count(mount: &str, method: &Method, response: &Response, took: Duration) {
    let labels = [
        ("mount", mount.to_owned()),
        ("method", known(method).to_owned()),
        ("status", response.status().as_str().to_owned()),
    ];
    metrics::histogram!("http_request_duration_seconds", &labels).record(took.as_secs_f64());
    metrics::counter!("http_requests_total", &labels).increment(1);
}

/// RFC 9110, 9.2.1.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// A method may be any word, and a label for each would fill the memory.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

fn below(path: &str, base: &str) -> bool {
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads the whole body, up to the limit, whether or not its length was announced.
async fn limit_body(request: &mut Request) -> Result<(), Error> {
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_LIMIT) {
        return Err(Error::TooLarge);
    }
    let bytes = request.take_body().into_bytes_limit(BODY_LIMIT).await.map_err(|error| match error {
        poem::error::ReadBodyError::PayloadTooLarge => Error::TooLarge,
        other => Error::BadRequest(format!("The body could not be read: {other}.")),
    })?;
    request.set_body(Body::from_bytes(bytes));
    Ok(())
}

/// A panic becomes an error like any other: without this the connection is dropped without an answer.
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
    fn a_mount_is_not_the_one_whose_name_it_begins_with() {
        assert!(below("/jwt/profile", "/jwt") && below("/jwt", "/jwt"));
        assert!(!below("/jwt-blocklist/profile", "/jwt"));
    }
}
