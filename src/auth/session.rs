//! Opaque session ids: the browser keeps 128 random bits, the server keeps everything else.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::json;
use tower_sessions::session::{Expiry, Id};
use tower_sessions::{Session, session_store};

use super::{
    AuthStrategy, Carrier, Description, Device, Effect, Failure, Grant, Identity, Login, LoginId, Need, Presented,
    Promise, Reach, Result, SessionLimits, Stored, Subject, UserId,
};
use crate::clock::{Clock, Timestamp};
use crate::store::StoreError;
use crate::store::sessions::{LOGIN_KEY, LoginRecord, LoginStore};
use crate::trace::{Held, StepKind, Trace};

/// A record that is good, and when it ends.
struct Found {
    record: Arc<LoginRecord>,
    expires: Timestamp,
}

/// Remembers logins in a [`LoginStore`], through tower-sessions.
pub struct SessionStrategy<S> {
    pub(super) description: Description,
    pub(super) store: Arc<S>,
    pub(super) limits: SessionLimits,
    pub(super) clock: Clock,
    /// When a revoke that was carried out takes effect.
    pub(super) effect: Effect,
}

impl<S: LoginStore> SessionStrategy<S> {
    /// Under `/session`: records in a store that nodes share, or in this process as long as `notice` says so.
    pub fn shared(store: Arc<S>, needs: Need, notice: Option<String>, limits: SessionLimits, clock: Clock) -> Self {
        let description = Description {
            slug: "session",
            label: "Session in a shared store",
            revocation: "The next request, on every node: the record is gone.".to_owned(),
            needs,
            // What needs no store is in this process.
            shared: needs != Need::Nothing,
            upkeep: (needs != Need::Nothing).then(|| limits.upkeep()),
            notice,
            ..describe(store.commands().held_in)
        };
        Self { description, store, limits, clock, effect: Effect::Now }
    }

    /// The record of a login and when it ends by the limits of today, or why there is none.
    async fn find(&self, login: &LoginId, trace: &Trace) -> Result<std::result::Result<Found, &'static str>> {
        let timer = trace.timer();
        let commands = self.store.commands();
        if let (Some(words), Some(record)) = (commands.recall, self.store.recall(login)) {
            trace.step(StepKind::Memory, timer, || words);
            return Ok(self.within_limits(record));
        }
        let found = self.store.find(login).await;
        trace.step(commands.kind, timer, || commands.load);
        match found {
            Ok(Some(record)) => Ok(self.within_limits(record)),
            Ok(None) => Ok(Err("no login is stored under this id: it ended, expired or never was")),
            Err(session_store::Error::Backend(detail)) => Err(self.unavailable(&detail)),
            Err(error) => {
                tracing::error!(%login, %error, "a session record cannot be read");
                Ok(Err("the stored record cannot be read"))
            }
        }
    }

    fn within_limits(&self, record: Arc<LoginRecord>) -> std::result::Result<Found, &'static str> {
        let expires = self.expiry(&record);
        if expires <= self.clock.now() { Err("the session has expired") } else { Ok(Found { record, expires }) }
    }

    /// The limits may have been shortened since the record was written: today's are the ones that count.
    fn expiry(&self, record: &LoginRecord) -> Timestamp {
        record.expires.min(self.limits.expiry(record.issued, record.seen)).min(record.absolute)
    }

    /// Slides the idle limit. `None` if the login ended meanwhile.
    async fn slide(&self, id: &Id, found: Found, trace: &Trace) -> Result<Option<Found>> {
        let mut record = LoginRecord::clone(&found.record);
        record.seen = self.clock.now();
        record.expires = self.limits.expiry(record.issued, record.seen).min(record.absolute);
        let timer = trace.timer();
        let kept = self.store.touch(id, &record).await;
        trace.step(self.store.commands().kind, timer, || self.store.commands().touch);
        Ok(kept?.then(|| Found { expires: record.expires, record: Arc::new(record) }))
    }

    fn unavailable(&self, detail: &str) -> Failure {
        StoreError::new(self.store.commands().name, detail).into()
    }

    fn refuse(trace: &Trace, reason: &'static str) -> Option<Identity> {
        trace.refused(reason);
        None
    }

    fn exhibit(&self, trace: &Trace, credential: &str, record: &Arc<LoginRecord>) {
        trace.browser_holds(|| {
            let (text, bytes) = (crate::trace::mask(credential), Some(credential.len()));
            move || Held { title: "An opaque id".into(), text: text.clone(), bytes }
        });
        trace.server_holds(|| {
            let (record, place) = (record.clone(), self.store.commands().held_in);
            move || held(&record, place)
        });
    }
}

/// A record as a page shows it.
fn held(record: &LoginRecord, place: &str) -> Held {
    let LoginRecord { user, name, role, issued, seen, expires, absolute, device, address } = record;
    let readable = json!({
        "user": user, "name": name, "role": role, "device": device, "address": address,
        "issued": issued, "seen": seen, "expires": expires, "absolute": absolute,
    });
    Held {
        title: format!("A record in {place}, here with its names in full").into(),
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
        let timer = trace.timer();
        let saved = session.save().await;
        trace.step(self.store.commands().kind, timer, || self.store.commands().create);
        saved.map_err(|error| self.unavailable(&error.to_string()))?;
        let id = session.id().ok_or_else(|| self.unavailable("a saved session has no id"))?;
        Ok(Grant {
            identity: identity(LoginId::of_session(&id), &record, record.expires),
            credential: SecretString::from(id.to_string()),
            max_age: self.limits.absolute,
            renewal: None,
        })
    }

    async fn identify(&self, presented: &Presented, trace: &Trace) -> Result<Option<Identity>> {
        let Some(credential) = presented.credential() else { return Ok(None) };
        let Ok(id) = credential.parse::<Id>() else {
            return Ok(Self::refuse(trace, "this is not a session id: it must be 22 characters of base64url"));
        };
        let login = LoginId::of_session(&id);
        let mut found = match self.find(&login, trace).await? {
            Ok(found) => found,
            Err(reason) => return Ok(Self::refuse(trace, reason)),
        };
        if !presented.is_passive() && self.limits.is_stale(&found.record, self.clock.now()) {
            let Some(slid) = self.slide(&id, found, trace).await? else {
                return Ok(Self::refuse(trace, "the login was ended while this request was under way"));
            };
            found = slid;
        }
        self.exhibit(trace, credential, &found.record);
        Ok(Some(identity(login, &found.record, found.expires)))
    }

    async fn revoke(&self, who: &Identity, reach: Reach, trace: &Trace) -> Result<Effect> {
        let user = who.subject.id;
        let commands = self.store.commands();
        let timer = trace.timer();
        let (ended, (words, calls)) = match reach {
            Reach::This => (self.store.end(user, &who.login).await, commands.end),
            Reach::Other(login) => (self.store.end(user, &login).await, commands.end),
            Reach::Everywhere => (self.store.end_all(user).await, commands.end_all),
        };
        trace.step_of(commands.kind, calls, timer, || words);
        ended?;
        Ok(self.effect)
    }

    async fn logins(&self, user: UserId, trace: &Trace) -> Result<Option<Vec<Login>>> {
        let timer = trace.timer();
        let found = self.store.of_user(user).await;
        trace.step(self.store.commands().kind, timer, || self.store.commands().list);
        let now = self.clock.now();
        let alive = found?.into_iter().filter_map(|(id, record)| {
            let expires = self.expiry(&record);
            (expires > now).then(|| login(id, LoginRecord { expires, ..record }))
        });
        let mut logins: Vec<_> = alive.collect();
        logins.sort_by_key(|login| std::cmp::Reverse(login.issued_at));
        Ok(Some(logins))
    }

    async fn stored(&self, who: &Identity) -> Result<Stored> {
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

/// What the session strategies have in common.
pub(super) fn describe(store: &'static str) -> Description {
    Description {
        slug: "",
        label: "",
        summary: "An opaque id in a cookie; the record is in a store that every node asks at every request.",
        revocation: String::new(),
        promise: Promise::Immediate,
        needs: Need::Nothing,
        store,
        shared: true,
        signed_with: None,
        upkeep: None,
        copies: None,
        carrier: Carrier { cookie: "id", renewal: None, bearer: false },
        browser_holds: "128 random bits that mean nothing: the key to the record.",
        server_holds: "A record of the login: whose it is, since when, from where, until when.",
        notice: None,
        ends_single: true,
        unknown_logins: None,
        logout: "Ends this login at once: the record is deleted, and the old cookie opens nothing.",
        logout_everywhere: "Ends every login of yours under this mount at once.",
        password_change: "Every other login of yours under this mount ends at once.",
        gives_up: "Every request waits for the shared store, and with the store away nobody is recognised.",
    }
}
