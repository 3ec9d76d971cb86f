//! A strategy on one node, and what every check does with it.

use std::sync::Arc;
use std::time::Duration;

use jwt_vs_session::app::{BuiltStrategy, Node, StrategyEntry};
use jwt_vs_session::auth::{
    AuthStrategy, Credentials, Description, Effect, Grant, Identity, Promise, RevokeScope, SigningAlgorithm,
};
use jwt_vs_session::clock::Clock;
use jwt_vs_session::config::Settings;
use jwt_vs_session::identity::{Device, LoginId, Subject};
use jwt_vs_session::store::Sql;
use jwt_vs_session::store::sessions::{LoginRecord, LoginStore};
use jwt_vs_session::trace::Trace;
use secrecy::{ExposeSecret, SecretString};
use tower_sessions::session::{Id, Record};

use super::fixture::{Fixture, TICK, with_life};

/// A strategy on one node.
#[derive(Clone)]
pub struct StrategyUnderTest {
    pub strategy: Arc<dyn AuthStrategy>,
    pub records: Option<Arc<dyn LoginStore>>,
    node: Arc<Node>,
    settings: Settings,
    clock: Clock,
    entry: &'static [StrategyEntry],
}

impl StrategyUnderTest {
    pub async fn open(settings: Settings, clock: &Clock, entry: &'static [StrategyEntry]) -> Self {
        let node = Node::open_with(&settings, clock.clone(), entry).await.expect("a node");
        let BuiltStrategy { strategy, records } = node.built()[0].clone();
        Self { strategy, records, node: Arc::new(node), settings, clock: clock.clone(), entry }
    }

    /// The strategy on another node with the same settings.
    pub async fn another(&self) -> Self {
        Self::open(self.settings.clone(), &self.clock, self.entry).await
    }

    /// The strategy with the same key and stores, and with another life, or idle limit. The absolute limit changes in
    /// proportion.
    pub fn living(&self, life: Duration) -> Arc<dyn AuthStrategy> {
        self.node.rebuild(&with_life(&self.settings, life))[0].strategy.clone()
    }

    pub fn sql(&self) -> &Sql {
        self.node.sql()
    }

    /// The algorithm of the node's key.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.settings.jwt_algorithm
    }

    pub fn facts(&self) -> &Description {
        self.strategy.describe()
    }

    /// The records of a strategy that keeps them.
    pub fn records(&self) -> Arc<dyn LoginStore> {
        self.records.clone().expect("this strategy keeps records")
    }

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
        !matches!(self.facts().promise, Promise::Expiry { .. })
    }

    /// Whether a revocation of one login revokes every login of the user.
    pub fn ends_only_all(&self) -> bool {
        self.ends_at_once() && !self.facts().revokes_single
    }

    /// How long after the answer to a revoke another node may accept the login; `None`: until it expires.
    pub fn bound(&self) -> Option<Duration> {
        match self.facts().promise {
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
    pub async fn assert_ended(&self, fixture: &Fixture, grant: &Grant, effect: Effect) {
        match (self.facts().promise, effect) {
            (Promise::Immediate, Effect::Now) => assert!(!self.accepts(grant).await, "accepted after the revoke"),
            (Promise::Push { bound_ms }, Effect::Within(time)) => {
                assert!(time <= Duration::from_millis(bound_ms), "later than its bound");
                assert!(!self.accepts(grant).await, "accepted after the revoke");
            }
            (Promise::Expiry { bound_ms }, Effect::At(end)) => {
                let expiry = grant.identity.expires_at;
                assert!(end.since(fixture.clock.now()) <= Duration::from_millis(bound_ms), "later than its bound");
                assert!(expiry <= end, "accepted for longer than the revoke said");
                assert!(self.accepts(grant).await, "refused before its expiry");
                fixture.go_to(expiry - TICK);
                assert!(self.accepts(grant).await, "refused a millisecond before its expiry");
                fixture.go_to(expiry);
                assert!(!self.accepts(grant).await, "accepted at its expiry");
            }
            (promise, effect) => panic!("it promises {promise:?} and answered {effect:?}"),
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
