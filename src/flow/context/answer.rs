//! From a request to its answer: the page around the content, the page of an error, cookies and timings.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use minijinja::Value;
use minijinja::value::{Object, Serde};
use poem::error::ResponseError as _;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, IntoResponse as _, Middleware, Request, Response};
use serde::Serialize;

use super::{ContextInner, RequestContext, see_other};
use crate::error::Error;
use crate::flow::login::with_next;
use crate::flow::middleware::{ErrorPage, bare, caught, problem, with_headers};
use crate::flow::security;
use crate::flow::state::Mount;
use crate::identity::Subject;
use crate::page::{self, Frame};
use crate::trace::StepKind;

/// What a browser deletes when a login ends (OWASP ASVS 5.0, 14.3.1): what scripts stored. Browsers obey over https and on
/// localhost.
///
/// Not `"cookies"`: that would end the logins under the other mounts, too. Not `"cache"`: pages are `no-store`, so it holds
/// only styles and scripts, and Chromium answers later by 0.3 ms for each of its entries.
const CLEAR_SITE_DATA: &str = "\"storage\"";

impl RequestContext {
    /// Renders a page of the mount.
    pub async fn page(&self, template: &str, title: &str, context: impl Serialize) -> Result<Response, Error> {
        self.page_with(StatusCode::OK, template, title, context).await
    }

    /// Renders a page of the mount with another status.
    pub async fn page_with(
        &self,
        status: StatusCode,
        template: &str,
        title: &str,
        context: impl Serialize,
    ) -> Result<Response, Error> {
        let subject = self.identity().await?.map(|identity| &identity.subject);
        self.render(status, template, title, subject, false, context)
    }

    fn render(
        &self,
        status: StatusCode,
        template: &str,
        title: &str,
        user: Option<&Subject>,
        nav_unknown: bool,
        context: impl Serialize,
    ) -> Result<Response, Error> {
        let ContextInner { mount, trace, method, path, previous, presented, .. } = &*self.0;
        let services = &mount.services;
        let timer = trace.timer();
        let mounts = &mount.links;
        let (mount, user) = (&mount.template_value, user.map(|user| Value::from(Serde(user))));
        let context =
            PageContext { mount: mount.clone(), user: user.clone().into(), page: Value::from(Serde(context)) };
        let content = services.pages.render(template, Value::from_object(context))?;
        trace.step(StepKind::Page, timer, || "page rendered");
        let frame = Frame {
            title,
            mount: Some(mount.clone()),
            mounts: mounts.clone(),
            user,
            nav_unknown,
            doubled: presented.doubled.as_deref(),
            node: &services.node,
            previous: previous.clone(),
            trace: trace.panel(method.as_str(), path, Some(status.as_u16())),
        };
        Ok(page::html(status, services.pages.framed(frame, content)?))
    }

    /// The answer to an error: a redirect, a page, or problem+json. It never removes the cookie.
    async fn failed(&self, error: &Error) -> Response {
        security::log(error, self.source(), &self.0.path, &self.0.mount.services);
        if self.0.path.starts_with(&self.path("/api/")) {
            return problem(error, self.challenge(error));
        }
        match error {
            Error::LoginRequired { next } => return see_other(&with_next(&self.path("/login"), next.as_deref())),
            // That page says what is doubled.
            Error::DoubledCredential(_) => return see_other(&self.path("/login")),
            _ => {}
        }
        let status = error.status();
        // The page of a visitor's own mistake has the usual navigation. Without a store the check is unavailable.
        let user = if status.is_server_error() { None } else { self.identity().await.ok() };
        let subject = user.flatten().map(|identity| &identity.subject);
        let context = ErrorPage::new(error, self.path("/"), self.source().request_id);
        let rendered = self.render(status, "error.html", context.heading, subject, user.is_none(), &context);
        let response = rendered.unwrap_or_else(|fault| {
            fault.log(&self.0.path);
            bare(status)
        });
        with_headers(response, error)
    }

    /// The scheme of a 401. The error code is for a token that was refused, not for a request without one (RFC 6750, 3.1).
    fn challenge(&self, error: &Error) -> &'static str {
        match error {
            Error::LoginRequired { .. } if self.has_bearer() => r#"Bearer error="invalid_token""#,
            _ if self.strategy().describe().transport.bearer => "Bearer",
            _ => "Cookie",
        }
    }

    /// Adds cookies and timings to every answer, errors included.
    fn finish(&self, response: &mut Response) {
        let ContextInner { trace, method, path, .. } = &*self.0;
        let status = response.status();
        let mut lines = std::mem::take(&mut *self.set_cookies());
        let redirected = *method == Method::POST && status == StatusCode::SEE_OTHER;
        let panel = redirected.then(|| trace.panel(method.as_str(), path, Some(status.as_u16()))).flatten();
        if let Some(panel) = panel {
            lines.push(self.scope().previous(&self.services().flash.keep(panel)));
        }
        let headers = response.headers_mut();
        for value in lines.iter().filter_map(|line| HeaderValue::from_str(line).ok()) {
            headers.append(header::SET_COOKIE, value);
        }
        if let Some(value) = trace.server_timing().and_then(|timing| HeaderValue::from_str(&timing).ok()) {
            headers.insert("server-timing", value);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.0.cleared.load(Ordering::Relaxed) {
            headers.insert("clear-site-data", HeaderValue::from_static(CLEAR_SITE_DATA));
        }
    }
}

/// The variables of a template: those of every page of a mount, then the page's own. A page cannot replace `mount` or
/// `user`.
#[derive(Debug)]
struct PageContext {
    mount: Value,
    user: Value,
    page: Value,
}

impl Object for PageContext {
    fn get_value(self: &Arc<Self>, name: &Value) -> Option<Value> {
        self.get_value_by_str(name.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        match name {
            "mount" => Some(self.mount.clone()),
            "user" => Some(self.user.clone()),
            _ => self.page.get_attr(name).ok().filter(|value| !value.is_undefined()),
        }
    }
}

/// Adds a [`RequestContext`] to each request of a mount, and turns whatever the route returns into an answer.
pub(in crate::flow) struct WithContext(Arc<Mount>);

impl WithContext {
    pub fn new(mount: Arc<Mount>) -> Self {
        Self(mount)
    }
}

impl<E: Endpoint> Middleware<E> for WithContext {
    type Output = ContextEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        ContextEndpoint { mount: self.0.clone(), inner }
    }
}

/// The routes of a mount inside [`WithContext`].
pub(in crate::flow) struct ContextEndpoint<E> {
    mount: Arc<Mount>,
    inner: E,
}

impl<E: Endpoint> Endpoint for ContextEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let context = RequestContext::begin(self.mount.clone(), &request);
        request.extensions_mut().insert(context.clone());
        let answer = caught(async { Ok(self.inner.call(request).await?.into_response()) }).await;
        let mut response = match answer {
            Ok(response) => response,
            Err(error) => context.failed(&Error::from_poem(error)).await,
        };
        context.finish(&mut response);
        Ok(response)
    }
}
