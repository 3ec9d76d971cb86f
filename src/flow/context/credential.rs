//! Reads the credential of a request, and sets or removes its cookies in the answer.

use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use poem::Request;
use poem::http::header;
use secrecy::ExposeSecret as _;

use super::RequestContext;
use crate::auth::{Credentials, Grant, Transport};
use crate::flow::cookies::{CookieScope, Sent};
use crate::store::users::User;
use crate::trace::Trace;

impl RequestContext {
    /// Sets the cookies of a login.
    pub fn set_credentials(&self, grant: &Grant) {
        // A request that renewed a login and then opened another sets the cookies of the latter.
        self.set_cookies().clear();
        self.0.cleared.store(false, Ordering::Relaxed);
        let name = self.strategy().describe().transport.cookie;
        let line = self.scope().set(name, grant.credential.expose_secret(), grant.max_age, &self.0.trace);
        self.push_cookie(line);
        if let (Some(name), Some(renewal)) = (self.strategy().describe().transport.refresh_cookie, &grant.renewal) {
            let line = self.scope().set(name, renewal.credential.expose_secret(), renewal.max_age, &self.0.trace);
            self.push_cookie(line);
        }
    }

    /// Sets the cookies of a login after its password was checked: the server also knows the browser from now on.
    pub fn set_login(&self, grant: &Grant, user: &User) {
        self.set_credentials(grant);
        let known = self.0.origin.known_browser.as_deref();
        if let Some(value) = self.services().rate_limits.remember_browser(known, user) {
            self.push_cookie(self.services().whole_server().known_browser(&value));
        }
    }

    /// Removes the cookies of the login. Does nothing for a bearer token.
    pub fn clear_credentials(&self) {
        // A renewal in this request is void.
        self.set_cookies().clear();
        if self.has_bearer() {
            return;
        }
        let transport = self.strategy().describe().transport;
        for name in [Some(transport.cookie), transport.refresh_cookie].into_iter().flatten() {
            let line = self.scope().remove(name, &self.0.trace);
            self.push_cookie(line);
        }
        self.0.cleared.store(true, Ordering::Relaxed);
    }

    fn push_cookie(&self, line: String) {
        self.set_cookies().push(line);
    }

    pub(super) fn set_cookies(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.set_cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The credentials of a request, and how they came.
#[derive(Default)]
pub(super) struct PresentedCredentials {
    pub credentials: Credentials,
    /// Whether the credential came as a bearer token.
    pub by_bearer: bool,
    /// What the request has twice: then nothing in it is a credential. The sentence says how to get out of it.
    pub doubled: Option<String>,
}

impl PresentedCredentials {
    /// Reads the credentials, and shows them in the trace.
    pub fn read(request: &Request, scope: CookieScope<'_>, transport: Transport, trace: &Trace) -> Self {
        let headers = if transport.bearer { authorization(request) } else { Sent::Nothing };
        if headers == Sent::Several {
            let words = "This request has two Authorization headers, so the server takes neither. Send one.";
            return Self { by_bearer: true, doubled: Some(words.to_owned()), ..Self::default() };
        }
        let bearer = headers.one().and_then(|value| token(&value));
        let by_bearer = bearer.is_some();
        let (cookie, renewal) = (transport.cookie, transport.refresh_cookie);
        let sent = bearer.map_or_else(|| scope.read(cookie, request), Sent::One);
        let sent_renewal = renewal.map_or(Sent::Nothing, |name| scope.read(name, request));
        for (name, sent) in [(cookie, &sent), (renewal.unwrap_or_default(), &sent_renewal)] {
            if *sent == Sent::Several {
                return Self { by_bearer, doubled: Some(two_cookies(&scope.name(name))), ..Self::default() };
            }
        }
        let (credential, renewed_by) = (sent.one(), sent_renewal.one());
        if let Some(credential) = &credential {
            let cookie = || (scope.name(cookie), "Cookie header");
            let (name, via) = if by_bearer { ("Bearer".into(), "Authorization header") } else { cookie() };
            trace.credential(name, via, credential);
        }
        if let (Some(name), Some(token)) = (renewal, &renewed_by) {
            trace.credential(scope.name(name), "Cookie header", token);
        }
        Self { credentials: Credentials::new(credential).with_renewal(renewed_by), by_bearer, doubled: None }
    }
}

fn two_cookies(name: &str) -> String {
    format!(
        "Your browser sent two cookies with the name {name}, so the server takes neither: another site may have set one \
         of them. The server cannot delete it, because it does not know where it came from. Delete the cookies with this \
         name in your browser's settings, then log in again."
    )
}

fn authorization(request: &Request) -> Sent {
    let lines = request.headers().get_all(header::AUTHORIZATION).into_iter();
    Sent::of(lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()))
}

fn token(authorization: &str) -> Option<String> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim().to_owned())
}
