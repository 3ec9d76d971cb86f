//! `POST M/logout` and `POST M/logout-everywhere`. The cookie goes only after the strategy said that it is done.

use poem::{Response, handler};

use super::context::{RequestContext, see_other};
use crate::auth::{Effect, RevokeScope};
use crate::error::Error;
use crate::trace::{Verdict, VerdictKind};

/// Ends this login.
#[handler]
pub(super) async fn this(request: RequestContext) -> Result<Response, Error> {
    log_out(&request, RevokeScope::This).await?;
    Ok(see_other(&request.path("/")))
}

/// Ends every login of the user.
#[handler]
pub(super) async fn everywhere(request: RequestContext) -> Result<Response, Error> {
    log_out(&request, RevokeScope::Everywhere).await?;
    Ok(see_other(&request.path("/")))
}

/// Ends logins and takes the cookie away. The pages and the JSON routes share it.
///
/// A cookie that is good for nothing any more may go: its login has ended. But nobody knows whose other logins to end
/// then, and an expired bearer token may belong to a login that goes on: both are told to sign in first.
pub(super) async fn log_out(request: &RequestContext, scope: RevokeScope) -> Result<(), Error> {
    let needed = matches!(scope, RevokeScope::Everywhere) || request.has_bearer();
    if needed {
        request.signed_in().await?;
    }
    if let Some(identity) = request.identity().await? {
        let effect = request.revoke(identity, scope).await?;
        let (words, reason) = match effect {
            Effect::Now => ("logged out".into(), Some("the next request with the old credential is refused".into())),
            Effect::Within(bound) => (
                "logged out".into(),
                Some(format!("refused here at once, on every node within {} ms", bound.as_millis()).into()),
            ),
            Effect::At(end) => (
                "logged out in this browser".into(),
                Some(format!("a copy of the old credential is accepted until {end}").into()),
            ),
        };
        request.trace().verdict(Verdict { kind: VerdictKind::Anonymous, words, reason });
    }
    request.clear_credentials();
    Ok(())
}
