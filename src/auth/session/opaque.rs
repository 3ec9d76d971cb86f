//! The session strategy, over any store: every session mount is this code on another store.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::json;
use tower_sessions::session::{Expiry, Id};
use tower_sessions::{Session, session_store};

use super::SessionLimits;
use crate::auth::{
    AuthStrategy, Credentials, Description, Effect, Failure, Grant, Identity, Login, Result, RevokeScope,
};
use crate::clock::{Clock, Timestamp};
use crate::identity::{Device, LoginId, Subject, UserId};
use crate::store::sessions::{LOGIN_KEY, LoginRecord, LoginStore};
use crate::store::{Footprint, StoreError};
use crate::trace::{HeldData, StepKind, Trace};

/// A record within its limits, and when it expires.
struct Found {
    record: Arc<LoginRecord>,
    expires: Timestamp,
}

/// What came of a lookup by a session id.
enum Lookup {
    Found(Found),
    /// The reason, for the trace.
    Refused(&'static str),
}

/// Remembers logins in a [`LoginStore`], through tower-sessions.
pub struct SessionStrategy<S> {
    pub(super) description: Description,
    pub(super) store: Arc<S>,
    pub(super) limits: SessionLimits,
    pub(super) clock: Clock,
    /// When a revoke takes effect.
    pub(super) effect: Effect,
}

impl<S: LoginStore> SessionStrategy<S> {
    /// Reads the record of a login and checks it against the present limits.
    async fn find(&self, login: &LoginId, trace: &Trace) -> Result<Lookup> {
        let timer = trace.timer();
        let names = self.store.step_names();
        if let (Some(words), Some(record)) = (names.recall, self.store.recall(login)) {
            trace.step(StepKind::Memory, timer, || words);
            return Ok(self.within_limits(record));
        }
        match trace.timed(names.kind, |_| names.load, self.store.find(login)).await {
            Ok(Some(record)) => Ok(self.within_limits(record)),
            Ok(None) => Ok(Lookup::Refused("the store has no login under this id: revoked, expired or never issued")),
            Err(session_store::Error::Backend(detail)) => Err(self.unavailable(&detail)),
            Err(error) => {
                tracing::error!(%login, %error, "a session record cannot be read");
                Ok(Lookup::Refused("the stored record cannot be read"))
            }
        }
    }

    fn within_limits(&self, record: Arc<LoginRecord>) -> Lookup {
        let expires = self.expiry(&record);
        if expires <= self.clock.now() {
            Lookup::Refused("the session has expired")
        } else {
            Lookup::Found(Found { record, expires })
        }
    }

    /// Applies the present limits: an operator may have shortened them since the record was written.
    fn expiry(&self, record: &LoginRecord) -> Timestamp {
        record.expires.min(self.limits.expiry(record.issued, record.seen)).min(record.absolute)
    }

    /// Slides the idle limit. `None`: the login was revoked meanwhile.
    async fn slide(&self, id: &Id, found: Found, trace: &Trace) -> Result<Option<Found>> {
        let mut record = LoginRecord::clone(&found.record);
        record.seen = self.clock.now();
        record.expires = self.limits.expiry(record.issued, record.seen).min(record.absolute);
        let names = self.store.step_names();
        let kept = trace.timed(names.kind, |_| names.touch, self.store.touch(id, &record)).await?;
        Ok(kept.then(|| Found { expires: record.expires, record: Arc::new(record) }))
    }

    fn unavailable(&self, detail: &str) -> Failure {
        StoreError::unavailable(self.store.step_names().name, detail).into()
    }

    fn refuse(trace: &Trace, reason: &'static str) -> Option<Identity> {
        trace.refused(reason);
        None
    }

    fn exhibit(&self, trace: &Trace, credential: &str, record: &Arc<LoginRecord>) {
        trace.browser_holds(|| {
            let (text, bytes) = (crate::trace::mask(credential), Some(credential.len()));
            move || HeldData { title: "An opaque id".into(), text: text.clone(), bytes }
        });
        trace.server_holds(|| {
            let (record, held_in) = (record.clone(), self.store.step_names().held_in);
            move || held(&record, held_in)
        });
    }
}

/// A record as a page shows it, with its names in full.
fn held(record: &LoginRecord, held_in: &str) -> HeldData {
    let LoginRecord { user, name, role, issued, seen, expires, absolute, device, address } = record;
    let readable = json!({
        "user": user, "name": name, "role": role, "device": device, "address": address,
        "issued": issued, "seen": seen, "expires": expires, "absolute": absolute,
    });
    HeldData {
        title: format!("A record in {held_in}, here with its names in full").into(),
        text: format!("{readable:#}"),
        bytes: serde_json::to_string(record).ok().map(|text| text.len()),
    }
}

#[async_trait]
impl<S: LoginStore> AuthStrategy for SessionStrategy<S> {
    fn describe(&self) -> &Description {
        &self.description
    }

    async fn issue(&self, subject: &Subject, device: &Device, trace: &Trace) -> Result<Grant> {
        let now = self.clock.now();
        let record = LoginRecord {
            user: subject.id,
            name: subject.name.clone(),
            role: subject.role,
            issued: now,
            seen: now,
            expires: self.limits.expiry(now, now),
            absolute: now + self.limits.absolute,
            device: device.label.clone(),
            address: device.address.clone(),
        };
        let expiry = Expiry::AtDateTime(record.expires.to_date_time());
        let session = Session::new(None, self.store.clone(), Some(expiry));
        session.insert(LOGIN_KEY, &record).await.map_err(|error| self.unavailable(&error.to_string()))?;
        let names = self.store.step_names();
        let saved = trace.timed(names.kind, |_| names.create, session.save()).await;
        saved.map_err(|error| self.unavailable(&error.to_string()))?;
        let id = session.id().ok_or_else(|| self.unavailable("a saved session has no id"))?;
        Ok(Grant {
            identity: identity(LoginId::of_session(&id), &record, record.expires),
            credential: SecretString::from(id.to_string()),
            max_age: self.limits.absolute,
            renewal: None,
        })
    }

    async fn identify(&self, credentials: &Credentials, trace: &Trace) -> Result<Option<Identity>> {
        let Some(credential) = credentials.credential() else { return Ok(None) };
        let Ok(id) = credential.parse::<Id>() else {
            return Ok(Self::refuse(trace, "this is not a session id: it must be 22 characters of base64url"));
        };
        let login = LoginId::of_session(&id);
        let mut found = match self.find(&login, trace).await? {
            Lookup::Found(found) => found,
            Lookup::Refused(reason) => return Ok(Self::refuse(trace, reason)),
        };
        if !credentials.is_passive() && self.limits.must_slide(&found.record, self.clock.now()) {
            let Some(slid) = self.slide(&id, found, trace).await? else {
                return Ok(Self::refuse(trace, "the login was revoked during this request"));
            };
            found = slid;
        }
        self.exhibit(trace, credential, &found.record);
        Ok(Some(identity(login, &found.record, found.expires)))
    }

    async fn revoke(&self, who: &Identity, scope: RevokeScope, trace: &Trace) -> Result<Effect> {
        let user = who.subject.id;
        let names = self.store.step_names();
        if let Some(login) = scope.single(&who.login) {
            trace.timed(names.kind, |_| names.revoke, self.store.revoke(user, login)).await?;
        } else {
            trace.timed(names.kind, |_| names.revoke_all, self.store.revoke_all(user)).await?;
        }
        Ok(self.effect)
    }

    /// Opens the next login while the old one stands, and revokes that one last. Whoever revokes the old one before that
    /// makes the replacement void; whoever revokes all logins after that finds the new one.
    async fn replace(
        &self,
        who: &Identity,
        _credentials: &Credentials,
        device: &Device,
        trace: &Trace,
    ) -> Result<Option<Grant>> {
        let (user, names) = (who.subject.id, self.store.step_names());
        let others = self.store.revoke_all_but(user, Some(&who.login));
        trace.timed(names.kind, |_| names.revoke_all, others).await?;
        let grant = self.issue(&who.subject, device, trace).await?;
        if trace.timed(names.kind, |_| names.revoke, self.store.revoke(user, &who.login)).await? {
            return Ok(Some(grant));
        }
        trace.refused("another request revoked the login meanwhile");
        self.store.revoke(user, &grant.identity.login).await?;
        Ok(None)
    }

    async fn logins(&self, user: UserId, trace: &Trace) -> Result<Option<Vec<Login>>> {
        let names = self.store.step_names();
        let found = trace.timed(names.kind, |_| names.list, self.store.of_user(user)).await?;
        let now = self.clock.now();
        let unexpired = found.into_iter().filter_map(|(id, record)| {
            let expires = self.expiry(&record);
            (expires > now).then(|| login(id, LoginRecord { expires, ..record }))
        });
        let mut logins: Vec<_> = unexpired.collect();
        logins.sort_by_key(|login| std::cmp::Reverse(login.issued_at));
        Ok(Some(logins))
    }

    async fn footprint(&self, who: &Identity) -> Result<Footprint> {
        Ok(self.store.footprint(who.subject.id, &who.login).await?)
    }
}

fn identity(login: LoginId, record: &LoginRecord, expires_at: Timestamp) -> Identity {
    let subject = Subject { id: record.user, name: record.name.clone(), role: record.role };
    Identity { subject, login, issued_at: record.issued, expires_at }
}

fn login(id: LoginId, record: LoginRecord) -> Login {
    Login {
        id,
        device: Device { label: record.device, address: record.address },
        issued_at: record.issued,
        seen_at: record.seen,
        expires_at: record.expires,
    }
}
