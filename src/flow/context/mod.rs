//! One request to a mount: its login, its trace, the cookies of its answer, the page around its content.

mod answer;
mod credential;
mod identify;
mod record;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use compact_str::ToCompactString as _;
use poem::http::{HeaderValue, Method, StatusCode, Uri, header};
use poem::{FromRequest, Request, RequestBody, Response};
use tokio::sync::OnceCell;

pub(super) use self::answer::WithContext;
use self::credential::PresentedCredentials;
pub(super) use self::record::reach;
use super::changes_under_way::ChangeUnderWay;
use super::client::{client_origin, device_label};
use super::cookies::{CookieScope, PREVIOUS};
use super::rate_limits::Origin;
use super::security::source_of;
use super::state::{Mount, Services};
use crate::auth::{AuthStrategy, Effect, Failure, Grant, Identity, RevokeScope};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::identity::{ClientOrigin, Device, Subject};
use crate::page::KeptPanel;
use crate::security_log::{EventSource, RevocationCause};
use crate::trace::{StepKind, Trace, Verdict, VerdictKind};

/// A request to a mount. Clones are the same request.
#[derive(Clone)]
pub(super) struct RequestContext(Arc<ContextInner>);

struct ContextInner {
    mount: Arc<Mount>,
    source: EventSource,
    trace: Trace,
    presented: PresentedCredentials,
    origin: Origin,
    user_agent: Option<HeaderValue>,
    method: Method,
    uri: Uri,
    previous: Option<KeptPanel>,
    identity: OnceCell<Option<Identity>>,
    set_cookies: Mutex<Vec<String>>,
    /// Whether the answer removes the cookies of the login.
    cleared: AtomicBool,
}

impl RequestContext {
    /// Starts the trace and reads the credential.
    fn begin(mount: Arc<Mount>, request: &Request) -> Self {
        let trace = Trace::on();
        let timer = trace.timer();
        let transport = mount.strategy.describe().transport;
        let scope = CookieScope { path: mount.base(), secure: mount.services.secure };
        let presented = PresentedCredentials::read(request, scope, transport, &trace);
        let previous = scope.read(PREVIOUS, request).one().and_then(|name| mount.services.flash.take(&name));
        trace.step(StepKind::Cookie, timer, || "cookies and headers read");
        let origin = mount.services.origin(request);
        Self(Arc::new(ContextInner {
            source: source_of(request),
            trace,
            presented,
            origin,
            user_agent: request.headers().get(header::USER_AGENT).cloned(),
            method: request.method().clone(),
            uri: request.original_uri().clone(),
            previous,
            identity: OnceCell::new(),
            set_cookies: Mutex::default(),
            cleared: AtomicBool::new(false),
            mount,
        }))
    }

    pub fn mount(&self) -> &Mount {
        &self.0.mount
    }

    pub fn services(&self) -> &Services {
        &self.0.mount.services
    }

    pub fn strategy(&self) -> &dyn AuthStrategy {
        self.0.mount.strategy.as_ref()
    }

    /// Where the events of this request come from, without its login.
    pub fn source(&self) -> &EventSource {
        &self.0.source
    }

    pub fn trace(&self) -> &Trace {
        &self.0.trace
    }

    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    pub fn scope(&self) -> CookieScope<'_> {
        CookieScope { path: self.0.mount.base(), secure: self.0.mount.services.secure }
    }

    pub fn credential(&self) -> Option<&str> {
        self.0.presented.credentials.credential()
    }

    /// Whether the credential came as a bearer token.
    pub fn has_bearer(&self) -> bool {
        self.0.presented.by_bearer
    }

    /// Where a login of this request is opened.
    fn device(&self) -> Device {
        let ContextInner { origin, user_agent, .. } = &*self.0;
        Device { label: device_label(user_agent.as_ref()).into(), address: origin.address.to_compact_string() }
    }

    /// The client, for the renewal of a login.
    fn client(&self) -> ClientOrigin {
        client_origin(self.0.user_agent.as_ref(), self.0.origin.address)
    }

    /// A path below the mount.
    pub fn path(&self, below: &str) -> String {
        format!("{}{below}", self.0.mount.base())
    }

    /// Opens a login. Revokes the browser's old login first (OWASP ASVS 5.0, 7.2.4), where the strategy can revoke a
    /// single one.
    pub async fn open_login(&self, subject: &Subject) -> Result<Grant, Error> {
        if let Some(old) = self.identity().await? {
            self.revoke_single(old, RevocationCause::NewLogin).await?;
        }
        let grant = self.strategy().issue(subject, &self.device(), &self.0.trace).await?;
        let words = format!("accepted: a new login for {}", subject.name).into();
        self.0.trace.verdict(Verdict { kind: VerdictKind::Accepted, words, reason: None });
        Ok(grant)
    }

    /// Revokes every login of the user under this mount and opens one in place of the request's. `None` if another
    /// request revoked that one meanwhile: on any node before the strategy replaced it, on this node until now.
    /// `None` as well if the user was disabled or deleted.
    pub async fn replace_login(&self, who: &Identity, under_way: &ChangeUnderWay) -> Result<Option<Grant>, Error> {
        let ContextInner { presented: PresentedCredentials { credentials, .. }, trace, .. } = &*self.0;
        let (strategy, scope) = (self.strategy(), RevokeScope::Everywhere);
        let replaced = strategy.replace(who, credentials, &self.device(), trace).await;
        self.services().login_events.revoked();
        let effect = Effect::promised(strategy.describe().promise, self.services().clock.now());
        let effect = replaced.is_ok().then_some(effect);
        self.record_revocation(strategy, who, &scope, RevocationCause::PasswordChange, effect);
        let Some(grant) = replaced.map_err(Error::OthersNotRevoked)? else { return Ok(None) };
        let users = &self.services().users;
        let words = |_: &_| format!("{}: SELECT the user again: not disabled?", users.store());
        let user = trace.timed(StepKind::Database, words, users.get(who.subject.id)).await?;
        if under_way.is_revoked() || user.is_none_or(|user| user.is_disabled) {
            strategy.revoke(&grant.identity, RevokeScope::This, trace).await?;
            return Ok(None);
        }
        Ok(Some(grant))
    }

    /// Revokes logins under this mount, and wakes the open pages of this node.
    pub async fn revoke(&self, who: &Identity, scope: RevokeScope, cause: RevocationCause) -> Result<Effect, Failure> {
        self.revoke_under(self.strategy(), who, scope, cause).await
    }

    /// Revokes logins under another mount.
    pub async fn revoke_under(
        &self,
        strategy: &dyn AuthStrategy,
        who: &Identity,
        scope: RevokeScope,
        cause: RevocationCause,
    ) -> Result<Effect, Failure> {
        let outcome = self.services().revoke(strategy, who, scope.clone(), &self.0.trace).await;
        self.record_revocation(strategy, who, &scope, cause, outcome.as_ref().ok().copied());
        outcome
    }

    /// Revokes one login, where the strategy can leave the user's others alone.
    pub async fn revoke_single(&self, login: &Identity, cause: RevocationCause) -> Result<(), Error> {
        if self.strategy().describe().revokes_single {
            self.revoke(login, RevokeScope::This, cause).await?;
        }
        Ok(())
    }
}

impl<'a> FromRequest<'a> for RequestContext {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let context = request.extensions().get::<Self>().cloned();
        context.ok_or_else(|| Error::Internal("a route of a mount was called outside a mount".to_owned()).into())
    }
}

/// A redirect after a POST (RFC 9110, 15.4.4).
pub(super) fn see_other(location: &str) -> Response {
    Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, location).body(())
}

/// The time until the credential expires, in words, rounded to a second.
pub(super) fn valid_for(identity: &Identity, now: Timestamp) -> String {
    let left = identity.expires_at.since(now) + Duration::from_millis(500);
    humantime::format_duration(Duration::from_secs(left.as_secs())).to_string()
}
