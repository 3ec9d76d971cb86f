//! The methods of a route: `HEAD` wherever there is `GET`, `OPTIONS`, and a 405 that says what is allowed (RFC 9110, 9.3
//! and 15.5.6).

use std::collections::BTreeMap;

use poem::endpoint::BoxEndpoint;
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, EndpointExt as _, IntoEndpoint, IntoResponse as _, Request, Response};
use serde_json::Value;

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
    get: Option<BoxEndpoint<'static, Response>>,
    post: Option<BoxEndpoint<'static, Response>>,
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

/// The routes of an OpenAPI document, with the methods that it names.
pub(super) struct DocumentedRoutes<E> {
    routes: E,
    allow: BTreeMap<String, &'static str>,
}

impl<E> DocumentedRoutes<E> {
    /// `document` is the OpenAPI document of the routes, as JSON.
    pub fn new(routes: E, document: &str) -> Self {
        let document: Value = serde_json::from_str(document).unwrap_or_default();
        let paths = document["paths"].as_object().into_iter().flatten();
        let allow = paths.map(|(path, item)| (path.clone(), allow(!item["get"].is_null(), !item["post"].is_null())));
        Self { routes, allow: allow.collect() }
    }
}

impl<E: Endpoint> Endpoint for DocumentedRoutes<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        if let Some(allow) = self.allow.get(request.uri().path()) {
            match *request.method() {
                Method::OPTIONS => return Ok(options(allow)),
                Method::HEAD if allow.starts_with("GET") => request.set_method(Method::GET),
                ref other if !allow.split(", ").any(|method| method == other.as_str()) => {
                    return Err(Error::MethodNotAllowed { allow }.into());
                }
                _ => {}
            }
        }
        Ok(self.routes.call(request).await?.into_response())
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
