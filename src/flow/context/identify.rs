//! Authenticates the request, at most once, and tells the trace and the metrics the verdict.

use poem::http::{Method, Uri};

use super::{ContextInner, PresentedCredentials, RequestContext};
use crate::auth::{Credentials, Failure, Grant, Identity, Promise, RenewOutcome};
use crate::error::Error;
use crate::security_log::{RevocationCause, RevocationReach, SecurityEvent};
use crate::trace::{Trace, Verdict, VerdictKind};

impl RequestContext {
    /// The login of the request, if its credential is accepted.
    pub async fn identity(&self) -> Result<Option<&Identity>, Error> {
        let found = self.0.identity.get_or_try_init(|| self.authenticate()).await?;
        Ok(found.as_ref())
    }

    /// The login of the request. Without one the error leads to the login page and, after a GET, back.
    pub async fn require_login(&self) -> Result<&Identity, Error> {
        self.identity().await?.ok_or_else(|| match &self.0.presented.doubled {
            Some(sentence) => Error::DoubledCredential(sentence.clone()),
            None => {
                let next = matches!(self.0.method, Method::GET | Method::HEAD).then(|| target(&self.0.uri));
                Error::LoginRequired { next }
            }
        })
    }

    async fn authenticate(&self) -> Result<Option<Identity>, Error> {
        let trace = &self.0.trace;
        let verdict = |kind, words: String, reason| trace.verdict(Verdict { kind, words: words.into(), reason });
        let presented = &self.0.presented;
        if let Some(sentence) = &presented.doubled {
            trace.refused(sentence.clone());
        }
        let anonymous = presented.doubled.is_none()
            && presented.credentials.credential().or(presented.credentials.renewal()).is_none();
        match self.identify_or_renew().await {
            Ok(Some(identity)) => {
                self.mount().checks.count(VerdictKind::Accepted);
                verdict(VerdictKind::Accepted, format!("accepted: logged in as {}", identity.subject.name), None);
                Ok(Some(identity))
            }
            Ok(None) if anonymous => {
                let reason = "the request has no credential".into();
                verdict(VerdictKind::Anonymous, "not logged in".to_owned(), Some(reason));
                Ok(None)
            }
            Ok(None) => {
                self.mount().checks.count(VerdictKind::Refused);
                verdict(VerdictKind::Refused, "refused: not logged in".to_owned(), trace.refusal());
                Ok(None)
            }
            Err(failure) => {
                self.mount().checks.count(VerdictKind::Unavailable);
                verdict(VerdictKind::Unavailable, "unavailable: a store does not answer".to_owned(), None);
                Err(failure.into())
            }
        }
    }

    /// Checks the credential. If the check refuses it and the request has a refresh token, renews the login.
    async fn identify_or_renew(&self) -> Result<Option<Identity>, Failure> {
        let ContextInner { presented: PresentedCredentials { credentials, .. }, trace, .. } = &*self.0;
        let known = self.strategy().identify(credentials, trace).await?;
        self.refuse_ended(known.as_ref())?;
        if known.is_some() || credentials.renewal().is_none() {
            return Ok(known);
        }
        let Some(grant) = self.renew(credentials).await? else { return Ok(None) };
        self.set_credentials(&grant);
        Ok(Some(grant.identity))
    }

    /// Renews a login, and raises the alarm if its refresh token is a copy. `None`: the user has to log in again.
    pub async fn renew(&self, credentials: &Credentials) -> Result<Option<Grant>, Failure> {
        let outcome = self.strategy().renew(credentials, &self.client(), &self.0.trace).await?;
        if let RenewOutcome::Reused { user, login } = &outcome {
            self.record_of(Some(*user), Some(login), &SecurityEvent::RefreshReused);
            let refused_within_ms = match self.strategy().describe().promise {
                Promise::Immediate => 0,
                Promise::Push { bound_ms } | Promise::Expiry { bound_ms } => bound_ms,
            };
            let (reach, cause) = (RevocationReach::This, RevocationCause::RefreshReuse);
            let event = SecurityEvent::LoginRevoked { reach, cause, revoked_login_id: None, refused_within_ms };
            self.record_of(Some(*user), Some(login), &event);
            // The page of the owner hears it at once.
            self.services().login_events.revoked();
        }
        Ok(outcome.grant())
    }

    /// Checks the credential again. The check is no use of the login: it does not prolong it.
    pub async fn check_passively(&self, trace: &Trace) -> Result<Option<Identity>, Failure> {
        let known = self.strategy().identify(&self.0.presented.credentials.passive(), trace).await?;
        self.refuse_ended(known.as_ref())?;
        Ok(known)
    }

    /// Fails for a user who has ended, as long as a store keeps this node from revoking the logins. Where only expiry ends
    /// a login, the token is accepted until then.
    fn refuse_ended(&self, known: Option<&Identity>) -> Result<(), Failure> {
        let (services, strategy) = (self.services(), self.strategy().describe());
        let is_blocked =
            |user| !strategy.promise.only_expires() && services.blocked_users.is_blocked(strategy.slug, user);
        if known.is_some_and(|known| is_blocked(known.subject.id)) {
            return Err(Failure::RevokePending);
        }
        Ok(())
    }
}

/// Path and query, for the way back after a login.
fn target(uri: &Uri) -> String {
    uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string)
}
