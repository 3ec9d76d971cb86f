//! From a request to its answer: the page around the content, the page of an error, cookies and timings.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

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
use crate::identity::{Role, Subject};
use crate::page::{self, Frame, FrameMount, KeptPanel, PageValues, Panel};
use crate::trace::{StepKind, TraceRecord};

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

    /// Renders a page of the mount that many requests ask for. Its content is prepared, too.
    pub async fn prepared_page(
        &self,
        template: &str,
        title: &str,
        content: impl Fn(&mut PageValues) -> Value,
    ) -> Result<Response, Error> {
        let ContextInner { mount, trace, .. } = &*self.0;
        let role = self.identity().await?.map(|identity| identity.subject.role);
        let timer = trace.timer();
        let mut values = PageValues::collect();
        values.fixed(template);
        content(&mut values);
        trace.step(StepKind::Page, timer, || "page filled");
        let render = |values: &mut PageValues| {
            values.fixed(template);
            mount.services.pages.render(template, content(values)).map(Value::from_safe_string)
        };
        self.framed(StatusCode::OK, (title, role, false), values, render)
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
        let ContextInner { mount, trace, .. } = &*self.0;
        let timer = trace.timer();
        let role = user.map(|user| user.role);
        let (user, page) = (Value::from(Serde(user)), Value::from(Serde(context)));
        let context = PageContext { mount: mount.template_value.clone(), user, page };
        let content = mount.services.pages.render(template, Value::from_object(context))?;
        trace.step(StepKind::Page, timer, || "page rendered");
        let mut values = PageValues::collect();
        values.html(&content);
        self.framed(status, (title, role, nav_unknown), values, |values| Ok(values.html(&content)))
    }

    /// Puts the layout and the panels around a content.
    fn framed(
        &self,
        status: StatusCode,
        (title, role, nav_unknown): (&str, Option<Role>, bool),
        values: PageValues,
        content: impl Fn(&mut PageValues) -> Result<Value, Error>,
    ) -> Result<Response, Error> {
        let ContextInner { mount, trace, previous, presented, .. } = &*self.0;
        let services = &mount.services;
        let filled = trace.read(|record, total| {
            let frame = Frame {
                title,
                mount: Some(FrameMount { base: mount.base(), value: &mount.template_value, all: &mount.links }),
                role,
                nav_unknown,
                doubled: presented.doubled.as_deref(),
                node: &services.node,
                previous: previous.as_ref().map(KeptPanel::panel),
                trace: Some(self.panel(status, record, total)),
            };
            services.pages.fill(values, frame, content)
        });
        let filled = filled.unwrap_or_else(|| Err(Error::Internal("a page needs its trace".to_owned())));
        Ok(page::html(status, filled?))
    }

    fn panel<'a>(&'a self, status: StatusCode, record: &'a TraceRecord, total: Duration) -> Panel<'a> {
        let (method, path) = (self.0.method.as_str(), self.0.uri.path());
        Panel { method, path, status: status.as_u16(), total, record }
    }

    /// The answer to an error: a redirect, a page, or problem+json. It never removes the cookie.
    async fn failed(&self, error: &Error) -> Response {
        security::log(error, self.source(), self.0.uri.path(), &self.0.mount.services);
        if self.0.uri.path().starts_with(&self.path("/api/")) {
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
            fault.log(self.0.uri.path());
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
        let ContextInner { trace, method, .. } = &*self.0;
        let status = response.status();
        let mut lines = std::mem::take(&mut *self.set_cookies());
        let redirected = *method == Method::POST && status == StatusCode::SEE_OTHER;
        let kept = |record: &TraceRecord, total| KeptPanel::new(self.panel(status, record, total));
        if let Some(panel) = redirected.then(|| trace.read(kept)).flatten() {
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
