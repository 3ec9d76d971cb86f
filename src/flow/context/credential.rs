//! The credential on its way: read from a header, handed over to the browser, taken back from it.

use std::sync::{MutexGuard, PoisonError};

use poem::Request;
use poem::http::header;
use secrecy::ExposeSecret as _;

use super::RequestContext;
use crate::auth::Grant;

impl RequestContext {
    /// Gives the browser its credential.
    pub fn set_credentials(&self, grant: &Grant) {
        // A request that renewed and then opened another login hands over the latter.
        self.set_cookies().clear();
        let name = self.strategy().describe().transport.cookie;
        let line = self.scope().set(name, grant.credential.expose_secret(), grant.max_age, &self.0.trace);
        self.push_cookie(line);
        if let (Some(name), Some(renewal)) = (self.strategy().describe().transport.refresh_cookie, &grant.renewal) {
            let line = self.scope().set(name, renewal.credential.expose_secret(), renewal.max_age, &self.0.trace);
            self.push_cookie(line);
        }
    }

    /// Takes the credential away from the browser, if it came as a cookie.
    pub fn clear_credentials(&self) {
        // Whatever this request was about to hand over is not wanted any more.
        self.set_cookies().clear();
        if self.has_bearer() {
            return;
        }
        let carrier = self.strategy().describe().transport;
        for name in [Some(carrier.cookie), carrier.refresh_cookie].into_iter().flatten() {
            let line = self.scope().remove(name, &self.0.trace);
            self.push_cookie(line);
        }
    }

    fn push_cookie(&self, line: String) {
        self.set_cookies().push(line);
    }

    pub(super) fn set_cookies(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.set_cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn bearer(request: &Request) -> Option<String> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim().to_owned())
}
