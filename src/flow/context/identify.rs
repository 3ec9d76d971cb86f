//! Who asks: found out once a request, renewed quietly where it can be, and told to the trace and the metrics.

use poem::http::Method;

use super::{ContextInner, RequestContext};
use crate::auth::{Failure, Identity};
use crate::error::Error;
use crate::trace::{Trace, Verdict, VerdictKind};

impl RequestContext {
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
        match self.identify_or_renew().await {
            Ok(Some(identity)) => {
                metrics::counter!("auth_identify_total", "strategy" => slug, "verdict" => "accepted").increment(1);
                verdict(VerdictKind::Accepted, format!("signed in as {}", identity.subject.name), None);
                Ok(Some(identity))
            }
            Ok(None) if self.0.credentials.credential().is_none() && self.0.credentials.renewal().is_none() => {
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
    async fn identify_or_renew(&self) -> Result<Option<Identity>, Failure> {
        let ContextInner { credentials, trace, .. } = &*self.0;
        let known = self.strategy().identify(credentials, trace).await?;
        if known.is_some() || credentials.renewal().is_none() {
            return Ok(known);
        }
        let Some(grant) = self.strategy().renew(credentials, trace).await? else { return Ok(None) };
        self.set_credentials(&grant);
        Ok(Some(grant.identity))
    }

    /// Looks whether the credential is still accepted, without counting as a visit.
    pub async fn check_passively(&self, trace: &Trace) -> Result<Option<Identity>, Failure> {
        self.strategy().identify(&self.0.credentials.passive(), trace).await
    }
}
