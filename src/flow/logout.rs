//! `POST M/logout` and `POST M/logout-everywhere`: revoke first, remove the cookie after.

use poem::{Response, handler};

use super::context::{RequestContext, reach, see_other};
use crate::auth::{Effect, RevokeScope};
use crate::error::Error;
use crate::security_log::{RevocationCause, SecurityEvent};
use crate::trace::{Verdict, VerdictKind};

/// `POST M/logout`.
#[handler]
pub(super) async fn this(request: RequestContext) -> Result<Response, Error> {
    log_out(&request, RevokeScope::This).await?;
    Ok(see_other(&request.path("/")))
}

/// `POST M/logout-everywhere`.
#[handler]
pub(super) async fn everywhere(request: RequestContext) -> Result<Response, Error> {
    log_out(&request, RevokeScope::Everywhere).await?;
    Ok(see_other(&request.path("/")))
}

/// Revokes logins and removes the cookie, for the pages and the JSON routes.
///
/// The server removes a refused cookie: its login was revoked or has expired. Two requests need an accepted credential:
/// a log out everywhere, because it must know the user, and one with a bearer token, because the login of an expired
/// token may go on.
pub(super) async fn log_out(request: &RequestContext, scope: RevokeScope) -> Result<(), Error> {
    if let Some(credential) = request.credential() {
        request.services().changes_under_way.log_out(credential);
    }
    let needed = matches!(scope, RevokeScope::Everywhere) || request.has_bearer();
    if needed {
        request.require_login().await?;
    }
    if let Some(identity) = request.identity().await? {
        let event = SecurityEvent::Logout { reach: reach(&scope) };
        let effect = request.revoke(identity, scope, RevocationCause::Logout).await?;
        request.record(identity, &event);
        let (words, reason) = match effect {
            Effect::Now => {
                ("logged out".into(), Some("every node refuses the next request with the old credential".into()))
            }
            Effect::Within(bound) => (
                "logged out".into(),
                Some(format!("this node refuses it at once, every node within {} ms", bound.as_millis()).into()),
            ),
            Effect::At(end) => (
                "logged out in this browser".into(),
                Some(format!("every node accepts a copy of the old credential until {end}").into()),
            ),
        };
        request.trace().verdict(Verdict { kind: VerdictKind::Anonymous, words, reason });
    }
    request.clear_credentials();
    Ok(())
}
