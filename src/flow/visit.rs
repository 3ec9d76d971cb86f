//! One request to a mount: who asks, the trace, the cookies of the answer, the page around the content.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::error::ResponseError as _;
use poem::{Endpoint, FromRequest, IntoResponse as _, Middleware, Request, RequestBody, Response};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use tokio::sync::OnceCell;

use super::cookies::{CookieScope, PREVIOUS};
use super::guard::{ErrorPage, bare, caught, client_address, device_label, problem, with_retry};
use super::site::{Mount, MountView, Shared};
use crate::auth::{AuthStrategy, Device, Grant, Identity, Presented, Subject};
use crate::error::Error;
use crate::page::{self, Frame};
use crate::trace::{Panel, StepKind, Trace, Verdict, VerdictKind};

/// A request to a mount. Clones are the same request.
#[derive(Clone)]
pub(super) struct Visit(Arc<Inner>);

struct Inner {
    mount: Arc<Mount>,
    trace: Trace,
    presented: Presented,
    /// Whether the credential came as a cookie, so that the answer may have to take it away.
    by_cookie: bool,
    device: Device,
    address: IpAddr,
    method: Method,
    path: String,
    /// Path and query, to come back to after a login.
    target: String,
    previous: Option<Panel>,
    identity: OnceCell<Option<Identity>>,
    set_cookies: Mutex<Vec<String>>,
}

impl Visit {
    /// The one place where a trace is made.
    fn begin(mount: Arc<Mount>, request: &Request) -> Self {
        let trace = Trace::on();
        let timer = trace.timer();
        let carrier = mount.strategy.describe().carrier;
        let scope = CookieScope { path: mount.base(), secure: mount.shared.secure };
        let bearer = carrier.bearer.then(|| bearer(request)).flatten();
        let by_cookie = bearer.is_none();
        let credential = bearer.or_else(|| scope.read(carrier.cookie, request));
        let previous = scope.read(PREVIOUS, request).and_then(|name| mount.shared.recent.take(&name));
        trace.step(StepKind::Cookie, timer, || "cookies and headers read");
        if let Some(credential) = &credential {
            let (name, via) = if by_cookie { (scope.name(carrier.cookie), "Cookie header") } else { ("Bearer".into(), "Authorization header") };
            trace.credential(name, via, credential);
        }
        let address = client_address(request, &mount.shared.proxies);
        let device = Device { label: device_label(request), address: address.to_string() };
        let uri = request.original_uri();
        Self(Arc::new(Inner {
            trace,
            presented: Presented::new(credential),
            by_cookie,
            device,
            address,
            method: request.method().clone(),
            path: uri.path().to_owned(),
            target: uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string),
            previous,
            identity: OnceCell::new(),
            set_cookies: Mutex::default(),
            mount,
        }))
    }

    pub fn mount(&self) -> &Mount {
        &self.0.mount
    }

    pub fn shared(&self) -> &Shared {
        &self.0.mount.shared
    }

    pub fn strategy(&self) -> &dyn AuthStrategy {
        self.0.mount.strategy.as_ref()
    }

    pub fn trace(&self) -> &Trace {
        &self.0.trace
    }

    pub fn device(&self) -> &Device {
        &self.0.device
    }

    pub fn address(&self) -> IpAddr {
        self.0.address
    }

    pub fn scope(&self) -> CookieScope<'_> {
        CookieScope { path: self.0.mount.base(), secure: self.0.mount.shared.secure }
    }

    /// An address below the mount.
    pub fn path(&self, below: &str) -> String {
        format!("{}{below}", self.0.mount.base())
    }

    /// Who asks. Asked of the strategy once a request.
    pub async fn identity(&self) -> Result<Option<&Identity>, Error> {
        let found = self.0.identity.get_or_try_init(|| self.identify()).await?;
        Ok(found.as_ref())
    }

    /// Who asks, or the way to the login page.
    pub async fn signed_in(&self) -> Result<&Identity, Error> {
        let next = (self.0.method == Method::GET).then(|| self.0.target.clone());
        self.identity().await?.ok_or(Error::SignInFirst { next })
    }

    async fn identify(&self) -> Result<Option<Identity>, Error> {
        let trace = &self.0.trace;
        let verdict = |kind, words: String, reason| trace.verdict(Verdict { kind, words: words.into(), reason });
        let slug = self.strategy().describe().slug;
        match self.strategy().identify(&self.0.presented, trace).await {
            Ok(Some(identity)) => {
                metrics::counter!("auth_identify_total", "strategy" => slug, "verdict" => "accepted").increment(1);
                verdict(VerdictKind::Accepted, format!("signed in as {}", identity.subject.name), None);
                Ok(Some(identity))
            }
            Ok(None) if self.0.presented.credential().is_none() => {
                verdict(VerdictKind::Anonymous, "not signed in".to_owned(), Some("no credential came".into()));
                Ok(None)
            }
            Ok(None) => {
                metrics::counter!("auth_identify_total", "strategy" => slug, "verdict" => "refused").increment(1);
                verdict(VerdictKind::Refused, "not signed in".to_owned(), trace.refusal());
                Ok(None)
            }
            Err(failure) => {
                metrics::counter!("auth_identify_total", "strategy" => slug, "verdict" => "unavailable").increment(1);
                verdict(VerdictKind::Unavailable, "nobody can say who this is".to_owned(), Some("a store does not answer".into()));
                Err(failure.into())
            }
        }
    }

    /// Opens a login. A login that the browser still had ends first (OWASP ASVS 5.0, 7.2.4).
    pub async fn open_login(&self, subject: &Subject) -> Result<Grant, Error> {
        if let Some(old) = self.identity().await? {
            self.strategy().revoke(old, crate::auth::Reach::This, &self.0.trace).await?;
        }
        let grant = self.strategy().issue(subject, &self.0.device, &self.0.trace).await?;
        let words = format!("a new login for {}", subject.name).into();
        self.0.trace.verdict(Verdict { kind: VerdictKind::Accepted, words, reason: None });
        Ok(grant)
    }

    /// Gives the browser its credential.
    pub fn hand_over(&self, grant: &Grant) {
        let name = self.strategy().describe().carrier.cookie;
        let line = self.scope().set(name, grant.credential.expose_secret(), grant.max_age, &self.0.trace);
        self.push_cookie(line);
    }

    /// Takes the credential away from the browser, if it came as a cookie.
    pub fn take_back(&self) {
        if self.0.by_cookie {
            let line = self.scope().remove(self.strategy().describe().carrier.cookie, &self.0.trace);
            self.push_cookie(line);
        }
    }

    fn push_cookie(&self, line: String) {
        self.0.set_cookies.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// A page of the mount.
    pub async fn page(&self, template: &str, title: &str, context: impl Serialize) -> Result<Response, Error> {
        self.page_with(StatusCode::OK, template, title, context).await
    }

    /// A page of the mount with another status.
    pub async fn page_with(
        &self,
        status: StatusCode,
        template: &str,
        title: &str,
        context: impl Serialize,
    ) -> Result<Response, Error> {
        let subject = self.identity().await?.map(|identity| identity.subject.clone());
        self.render(status, template, title, subject.as_ref(), false, context)
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
        let Inner { mount, trace, method, path, previous, .. } = &*self.0;
        let shared = &mount.shared;
        let timer = trace.timer();
        let content = shared.pages.content(template, Whole { mount: mount.view(), user, page: context })?;
        trace.step(StepKind::Page, timer, || "page rendered");
        let frame = Frame {
            title,
            mount: Some(mount.view()),
            user,
            nav_unknown,
            node: &shared.node,
            previous: previous.clone(),
            trace: trace.panel(method.as_str(), path, Some(status.as_u16())),
        };
        Ok(page::html(status, shared.pages.framed(frame, content)?))
    }

    /// What a visitor sees when something went wrong. A failed login never costs the cookie.
    async fn failed(&self, error: &Error) -> Response {
        error.log(&self.0.path);
        if self.0.path.starts_with(&self.path("/api/")) {
            return problem(error, self.strategy().describe().carrier);
        }
        if let Error::SignInFirst { next } = error {
            return see_other(&super::login::with_next(&self.path("/login"), next.as_deref()));
        }
        let status = error.status();
        // A page about a visitor's own mistake has the usual navigation. With a store away nobody can say which.
        let user = if status.is_server_error() { None } else { self.identity().await.ok() };
        let subject = user.flatten().map(|identity| &identity.subject);
        let context = ErrorPage::new(error, self.path("/"));
        let rendered = self.render(status, "error.html", context.heading, subject, user.is_none(), &context);
        let response = rendered.unwrap_or_else(|fault| {
            fault.log(&self.0.path);
            bare(status)
        });
        with_retry(response, error)
    }

    /// Cookies and timings, on every answer, errors included.
    fn finish(&self, response: &mut Response) {
        let Inner { trace, method, path, .. } = &*self.0;
        let status = response.status();
        let mut lines = std::mem::take(&mut *self.0.set_cookies.lock().unwrap_or_else(PoisonError::into_inner));
        if *method == Method::POST && status == StatusCode::SEE_OTHER {
            if let Some(panel) = trace.panel(method.as_str(), path, Some(status.as_u16())) {
                lines.push(self.scope().previous(&self.shared().recent.keep(panel)));
            }
        }
        let headers = response.headers_mut();
        for value in lines.iter().filter_map(|line| HeaderValue::from_str(line).ok()) {
            headers.append(header::SET_COOKIE, value);
        }
        if let Some(value) = trace.server_timing().and_then(|timing| HeaderValue::from_str(&timing).ok()) {
            headers.insert("server-timing", value);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

impl<'a> FromRequest<'a> for Visit {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let visit = request.extensions().get::<Self>().cloned();
        visit.ok_or_else(|| Error::Internal("a page of a mount was reached outside of it".to_owned()).into())
    }
}

/// What every page of a mount may use, and what this one adds.
#[derive(Serialize)]
struct Whole<'a, C> {
    mount: MountView<'a>,
    user: Option<&'a Subject>,
    #[serde(flatten)]
    page: C,
}

/// A redirect after a POST (RFC 9110, 15.4.4).
pub(super) fn see_other(location: &str) -> Response {
    Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, location).body(())
}

fn bearer(request: &Request) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim().to_owned())
}

/// How long a login lives, for people.
pub(super) fn life(identity: &Identity) -> String {
    let life = identity.expires_at.since(identity.issued_at);
    humantime::format_duration(Duration::from_secs(life.as_secs().max(1))).to_string()
}

/// Makes a [`Visit`] of each request, and an answer of whatever comes back.
pub(super) struct PerVisit(Arc<Mount>);

impl PerVisit {
    pub fn new(mount: Arc<Mount>) -> Self {
        Self(mount)
    }
}

impl<E: Endpoint> Middleware<E> for PerVisit {
    type Output = VisitEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        VisitEndpoint { mount: self.0.clone(), inner }
    }
}

/// See [`PerVisit`].
pub(super) struct VisitEndpoint<E> {
    mount: Arc<Mount>,
    inner: E,
}

impl<E: Endpoint> Endpoint for VisitEndpoint<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let visit = Visit::begin(self.mount.clone(), &request);
        request.extensions_mut().insert(visit.clone());
        let answer = caught(async { Ok(self.inner.call(request).await?.into_response()) }).await;
        let mut response = match answer {
            Ok(response) => response,
            Err(error) => visit.failed(&Error::from_poem(error)).await,
        };
        visit.finish(&mut response);
        Ok(response)
    }
}
