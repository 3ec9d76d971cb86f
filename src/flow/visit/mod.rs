//! One request to a mount: who asks, the trace, the cookies of the answer, the page around the content.

mod answer;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use compact_str::ToCompactString as _;
use minijinja::Value;
use poem::http::{Method, StatusCode, header};
use poem::{FromRequest, Request, RequestBody, Response};
use secrecy::ExposeSecret as _;
use tokio::sync::OnceCell;

pub(super) use self::answer::PerVisit;
use super::cookies::{CookieScope, PREVIOUS};
use super::guard::{client_address, device_label};
use super::site::{Mount, Shared};
use crate::auth::{AuthStrategy, Device, Effect, Failure, Grant, Identity, Presented, Reach, Subject};
use crate::error::Error;
use crate::trace::{StepKind, Trace, Verdict, VerdictKind};

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
    previous: Option<Value>,
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
        let renewal = carrier.renewal.and_then(|cookie| scope.read(cookie, request));
        let previous = scope.read(PREVIOUS, request).and_then(|name| mount.shared.recent.take(&name));
        trace.step(StepKind::Cookie, timer, || "cookies and headers read");
        if let Some(credential) = &credential {
            let (name, via) = if by_cookie {
                (scope.name(carrier.cookie), "Cookie header")
            } else {
                ("Bearer".into(), "Authorization header")
            };
            trace.credential(name, via, credential);
        }
        if let (Some(cookie), Some(renewal)) = (carrier.renewal, &renewal) {
            trace.credential(scope.name(cookie), "Cookie header", renewal);
        }
        let address = client_address(request, &mount.shared.proxies);
        let device = Device { label: device_label(request).into(), address: address.to_compact_string() };
        let uri = request.original_uri();
        Self(Arc::new(Inner {
            trace,
            presented: Presented::new(credential).with_renewal(renewal),
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

    /// The credential, if one came.
    pub fn credential(&self) -> Option<&str> {
        self.0.presented.credential()
    }

    /// Whether the credential came in a header, so that there is no cookie to take away.
    pub fn has_bearer(&self) -> bool {
        !self.0.by_cookie
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
        match self.known_or_renewed().await {
            Ok(Some(identity)) => {
                metrics::counter!("auth_identify_total", "strategy" => slug, "verdict" => "accepted").increment(1);
                verdict(VerdictKind::Accepted, format!("signed in as {}", identity.subject.name), None);
                Ok(Some(identity))
            }
            Ok(None) if self.0.presented.credential().is_none() && self.0.presented.renewal().is_none() => {
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
                verdict(
                    VerdictKind::Unavailable,
                    "nobody can say who this is".to_owned(),
                    Some("a store does not answer".into()),
                );
                Err(failure.into())
            }
        }
    }

    /// A login whose credential has ended is renewed quietly, where it can be.
    async fn known_or_renewed(&self) -> Result<Option<Identity>, Failure> {
        let Inner { presented, trace, .. } = &*self.0;
        let known = self.strategy().identify(presented, trace).await?;
        if known.is_some() || presented.renewal().is_none() {
            return Ok(known);
        }
        let Some(grant) = self.strategy().renew(presented, trace).await? else { return Ok(None) };
        self.hand_over(&grant);
        Ok(Some(grant.identity))
    }

    /// Opens a login. A login that the browser still had ends first (OWASP ASVS 5.0, 7.2.4), where one can be ended
    /// without the user's others.
    pub async fn open_login(&self, subject: &Subject) -> Result<Grant, Error> {
        if let Some(old) = self.identity().await? {
            self.end_single(old).await?;
        }
        let grant = self.strategy().issue(subject, &self.0.device, &self.0.trace).await?;
        let words = format!("a new login for {}", subject.name).into();
        self.0.trace.verdict(Verdict { kind: VerdictKind::Accepted, words, reason: None });
        Ok(grant)
    }

    /// Ends logins under this mount, and wakes the open pages of this node.
    pub async fn revoke(&self, who: &Identity, reach: Reach) -> Result<Effect, Failure> {
        self.revoke_under(self.strategy(), who, reach).await
    }

    /// The same under another mount.
    pub async fn revoke_under(
        &self,
        strategy: &dyn AuthStrategy,
        who: &Identity,
        reach: Reach,
    ) -> Result<Effect, Failure> {
        let effect = strategy.revoke(who, reach, &self.0.trace).await?;
        // Where nothing ends before its time there is nothing to tell.
        if !matches!(effect, Effect::At(_)) {
            self.shared().news.revoked();
        }
        Ok(effect)
    }

    /// Looks whether the credential is still accepted, without counting as a visit.
    pub async fn look(&self, trace: &Trace) -> Result<Option<Identity>, Failure> {
        self.strategy().identify(&self.0.presented.passive(), trace).await
    }

    /// Ends one login, where that can be done without ending the user's others.
    pub async fn end_single(&self, login: &Identity) -> Result<(), Error> {
        if self.strategy().describe().ends_single {
            self.revoke(login, Reach::This).await?;
        }
        Ok(())
    }

    /// Gives the browser its credential.
    pub fn hand_over(&self, grant: &Grant) {
        // A request that renewed and then opened another login hands over the latter.
        self.set_cookies().clear();
        let name = self.strategy().describe().carrier.cookie;
        let line = self.scope().set(name, grant.credential.expose_secret(), grant.max_age, &self.0.trace);
        self.push_cookie(line);
        if let (Some(name), Some(renewal)) = (self.strategy().describe().carrier.renewal, &grant.renewal) {
            let line = self.scope().set(name, renewal.credential.expose_secret(), renewal.max_age, &self.0.trace);
            self.push_cookie(line);
        }
    }

    /// Takes the credential away from the browser, if it came as a cookie.
    pub fn take_back(&self) {
        // Whatever this request was about to hand over is not wanted any more.
        self.set_cookies().clear();
        if self.has_bearer() {
            return;
        }
        let carrier = self.strategy().describe().carrier;
        for name in [Some(carrier.cookie), carrier.renewal].into_iter().flatten() {
            let line = self.scope().remove(name, &self.0.trace);
            self.push_cookie(line);
        }
    }

    fn push_cookie(&self, line: String) {
        self.set_cookies().push(line);
    }

    fn set_cookies(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.set_cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> FromRequest<'a> for Visit {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let visit = request.extensions().get::<Self>().cloned();
        visit.ok_or_else(|| Error::Internal("a page of a mount was reached outside of it".to_owned()).into())
    }
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
