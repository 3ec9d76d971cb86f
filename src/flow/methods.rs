//! The methods of a route: `HEAD` wherever there is `GET`, `OPTIONS`, and a 405 that says what is allowed (RFC 9110, 9.3
//! and 15.5.6).

use poem::endpoint::BoxEndpoint;
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, EndpointExt as _, IntoEndpoint, Request, Response};

use crate::error::Error;

/// A route that answers GET.
pub(super) fn get<E: IntoEndpoint>(endpoint: E) -> RouteMethods
where
    E::Endpoint: 'static,
{
    RouteMethods { get: Some(endpoint.into_endpoint().map_to_response().boxed()), post: None }
}

/// A route that answers POST.
pub(super) fn post<E: IntoEndpoint>(endpoint: E) -> RouteMethods
where
    E::Endpoint: 'static,
{
    RouteMethods { get: None, post: None }.post(endpoint)
}

/// What a route does for each method.
pub(super) struct RouteMethods {
    pub get: Option<BoxEndpoint<'static, Response>>,
    pub post: Option<BoxEndpoint<'static, Response>>,
}

impl RouteMethods {
    /// The same route, which answers POST, too.
    pub fn post<E: IntoEndpoint>(self, endpoint: E) -> Self
    where
        E::Endpoint: 'static,
    {
        Self { post: Some(endpoint.into_endpoint().map_to_response().boxed()), ..self }
    }
}

impl Endpoint for RouteMethods {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let allow = allow(self.get.is_some(), self.post.is_some());
        let endpoint = match *request.method() {
            Method::OPTIONS => return Ok(options(allow)),
            // The connection leaves out the body.
            Method::GET | Method::HEAD => self.get.as_ref(),
            Method::POST => self.post.as_ref(),
            _ => None,
        };
        endpoint.ok_or(Error::MethodNotAllowed { allow })?.call(request).await
    }
}

fn allow(get: bool, post: bool) -> &'static str {
    match (get, post) {
        (true, true) => "GET, HEAD, POST, OPTIONS",
        (true, false) => "GET, HEAD, OPTIONS",
        (false, _) => "POST, OPTIONS",
    }
}

/// Says what the route allows. Without CORS headers: no other site may send more than a simple request.
fn options(allow: &'static str) -> Response {
    Response::builder().status(StatusCode::NO_CONTENT).header(header::ALLOW, allow).body(())
}
