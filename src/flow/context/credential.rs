//! Reads the credential of a request, and sets or removes its cookies in the answer.

use std::sync::{MutexGuard, PoisonError};

use poem::Request;
use poem::http::header;
use secrecy::ExposeSecret as _;

use super::RequestContext;
use crate::auth::Grant;

impl RequestContext {
    /// Sets the cookies of a login.
    pub fn set_credentials(&self, grant: &Grant) {
        // A request that renewed a login and then opened another sets the cookies of the latter.
        self.set_cookies().clear();
        let name = self.strategy().describe().transport.cookie;
        let line = self.scope().set(name, grant.credential.expose_secret(), grant.max_age, &self.0.trace);
        self.push_cookie(line);
        if let (Some(name), Some(renewal)) = (self.strategy().describe().transport.refresh_cookie, &grant.renewal) {
            let line = self.scope().set(name, renewal.credential.expose_secret(), renewal.max_age, &self.0.trace);
            self.push_cookie(line);
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
