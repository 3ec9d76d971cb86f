//! A strategy on a store, and what the suite asks of it.

use std::sync::Arc;
use std::time::Duration;

use jwt_vs_session::auth::{AuthStrategy, Credentials, Effect, Grant, Identity, Promise, RevokeScope};
use jwt_vs_session::identity::{Device, LoginId, Subject};
use jwt_vs_session::store::sessions::{LoginRecord, LoginStore};
use jwt_vs_session::trace::Trace;
use secrecy::{ExposeSecret, SecretString};
use tower_sessions::session::{Id, Record};

use super::subjects::{Bench, TICK};

/// A strategy on a store.
#[derive(Clone)]
pub struct Tested {
    pub name: String,
    pub strategy: Arc<dyn AuthStrategy>,
    /// The same keys and store with another life, or idle limit; an absolute limit changes in proportion.
    pub living: Arc<dyn Fn(Duration) -> Arc<dyn AuthStrategy> + Send + Sync>,
    /// Where its records are, if it keeps any.
    pub store: Option<Arc<dyn LoginStore>>,
}

impl Tested {
    pub async fn log_in(&self, who: &Subject) -> Grant {
        self.log_in_from(who, "a browser").await
    }

    pub async fn log_in_from(&self, who: &Subject, label: &str) -> Grant {
        let device = Device { label: label.into(), address: "192.0.2.7".into() };
        self.strategy.issue(who, &device, &Trace::default()).await.expect("a login")
    }

    pub async fn identify(&self, credential: &SecretString) -> Option<Identity> {
        identify(self.strategy.as_ref(), credential.expose_secret()).await
    }

    /// Whether a log out is felt at all before the login expires.
    pub fn ends_at_once(&self) -> bool {
        !matches!(self.strategy.describe().promise, Promise::Expiry { .. })
    }

    /// Whether the end of any login ends every login of the user.
    pub fn ends_only_all(&self) -> bool {
        self.ends_at_once() && !self.strategy.describe().revokes_single
    }

    /// How long after the answer to a revoke another node may accept the login; `None`: until it expires.
    pub fn bound(&self) -> Option<Duration> {
        match self.strategy.describe().promise {
            Promise::Immediate => Some(Duration::ZERO),
            Promise::Push { bound_ms } => Some(Duration::from_millis(bound_ms)),
            Promise::Expiry { .. } => None,
        }
    }

    pub async fn accepts(&self, grant: &Grant) -> bool {
        self.identify(&grant.credential).await.is_some()
    }

    pub async fn revoke(&self, grant: &Grant, scope: RevokeScope) -> Effect {
        self.strategy.revoke(&grant.identity, scope, &Trace::default()).await.expect("a revoke")
    }

    pub async fn logins(&self, who: &Subject) -> Option<Vec<LoginId>> {
        let logins = self.strategy.logins(who.id, &Trace::default()).await.expect("an answer");
        logins.map(|logins| logins.into_iter().map(|login| login.id).collect())
    }

    /// Fails unless what became of a revoked login is what its strategy promises. Moves the clock where that is needed.
    pub async fn assert_ended(&self, bench: &Bench, grant: &Grant, effect: Effect) {
        let name = &self.name;
        match (self.strategy.describe().promise, effect) {
            (Promise::Immediate, Effect::Now) => assert!(!self.accepts(grant).await, "{name}: accepted after the end"),
            (Promise::Push { bound_ms }, Effect::Within(time)) => {
                assert!(time <= Duration::from_millis(bound_ms), "{name}: past its bound");
                assert!(!self.accepts(grant).await, "{name}: accepted after the end");
            }
            (Promise::Expiry { bound_ms }, Effect::At(end)) => {
                let expiry = grant.identity.expires_at;
                assert!(end.since(bench.clock.now()) <= Duration::from_millis(bound_ms), "{name}: past its bound");
                assert!(expiry <= end, "{name}: accepted for longer than the revoke said");
                assert!(self.accepts(grant).await, "{name}: refused before its time");
                bench.go_to(expiry - TICK);
                assert!(self.accepts(grant).await, "{name}: refused a millisecond before its time");
                bench.go_to(expiry);
                assert!(!self.accepts(grant).await, "{name}: accepted at its expiry");
            }
            (promise, effect) => panic!("{name}: promises {promise:?} and answered {effect:?}"),
        }
    }
}

pub async fn identify(strategy: &dyn AuthStrategy, credential: &str) -> Option<Identity> {
    let credentials = Credentials::new(Some(credential.to_owned()));
    strategy.identify(&credentials, &Trace::default()).await.expect("an answer")
}

/// The session id in a credential.
pub fn session_id(grant: &Grant) -> Id {
    grant.credential.expose_secret().parse().expect("a session id")
}

/// The record of a login as the store has it.
pub async fn stored(store: &Arc<dyn LoginStore>, grant: &Grant) -> Record {
    store.load(&session_id(grant)).await.expect("an answer").expect("a record")
}

pub async fn stored_login(store: &Arc<dyn LoginStore>, grant: &Grant) -> LoginRecord {
    LoginRecord::from_record(&stored(store, grant).await).expect("a login")
}
