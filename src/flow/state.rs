//! What all routes share: the strategies and the services around them.

use std::sync::Arc;

use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

use super::client::TrustedProxies;
use super::events::LoginEvents;
use super::flash::FlashTraces;
use super::rate_limits::RateLimits;
use crate::account::Hasher;
use crate::auth::{AuthStrategy, Backend, Description, Keys};
use crate::clock::Clock;
use crate::identity::Role;
use crate::labs::cost::CostRuns;
use crate::labs::figures::Figures;
use crate::labs::revocation::live::LiveRuns;
use crate::page::Pages;
use crate::store::users::Users;
use crate::store::{Redis, Sql, StoreError};

/// Everything that a request may need. Built once, in `app.rs`.
pub struct AppState {
    /// The mounts, in the order of the home page.
    pub(super) mounts: Vec<Arc<Mount>>,
    pub(super) services: Arc<Services>,
}

/// What the mounts share.
pub struct Services {
    /// The templates.
    pub pages: Pages,
    /// The users.
    pub users: Users,
    /// The passwords.
    pub hasher: Hasher,
    /// The time.
    pub clock: Clock,
    /// How often an address or an account may try.
    pub rate_limits: RateLimits,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: TrustedProxies,
    /// What the latest POSTs did, for the page that follows.
    pub flash: FlashTraces,
    /// What wakes open pages.
    pub login_events: LoginEvents,
    /// The node's name.
    pub node: String,
    /// What the browser sees, without a slash at the end.
    pub public_url: String,
    /// Whether the browser sees https.
    pub secure: bool,
    /// The seeded users, if there are any.
    pub demo: Option<Demo>,
    /// The key of the tokens.
    pub keys: Arc<Keys>,
    /// The database.
    pub sql: Sql,
    /// Redis, if there is one.
    pub redis: Option<Redis>,
    /// Where each store is, in words.
    pub stores: Vec<StoreStatus>,
    pub runs: LiveRuns,
    pub cost: CostRuns,
    /// Figures of an earlier measurement, if there are any.
    pub figures: Option<Figures>,
}

/// A store as the home page shows it.
#[derive(Clone, Debug, Serialize)]
pub struct StoreStatus {
    /// Its name.
    pub name: &'static str,
    /// Where it is.
    pub state: String,
    /// Which strategies' need it meets.
    #[serde(skip)]
    pub need: Option<Backend>,
}

/// The seeded users.
#[derive(Clone, Debug, Serialize)]
pub struct Demo {
    /// Their password as pages show it; `None` where strangers could read it.
    pub password: Option<String>,
    /// Their password, to be printed at the start.
    #[serde(skip)]
    pub printed: String,
    /// Who they are.
    pub users: Vec<DemoUser>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub struct DemoUser {
    /// The name.
    pub name: String,
    /// What the user may do.
    pub role: Role,
}

/// A strategy and the path that its pages stand under.
pub struct Mount {
    pub(super) strategy: Arc<dyn AuthStrategy>,
    pub(super) services: Arc<Services>,
    /// Every strategy of the site: a password is one for all of them.
    pub(super) strategies: Arc<[Arc<dyn AuthStrategy>]>,
    base: String,
    /// The mount as templates read it.
    pub(super) shown: Value,
}

/// A mount as templates read it.
#[derive(Serialize)]
pub(super) struct MountView<'a> {
    #[serde(flatten)]
    description: &'a Description,
    base: &'a str,
}

impl Mount {
    /// Where it stands: `/jwt` for the strategy `jwt`.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn view(&self) -> MountView<'_> {
        MountView { description: self.strategy.describe(), base: &self.base }
    }
}

impl AppState {
    /// One mount for each strategy.
    pub fn new(services: Services, strategies: Vec<Arc<dyn AuthStrategy>>) -> Self {
        let services = Arc::new(services);
        let strategies: Arc<[_]> = strategies.into();
        let mount = |strategy: &Arc<dyn AuthStrategy>| {
            let base = format!("/{}", strategy.describe().slug);
            let shown = Value::from(Serde(MountView { description: strategy.describe(), base: &base }));
            let (strategy, strategies) = (strategy.clone(), strategies.clone());
            Arc::new(Mount { strategy, services: services.clone(), strategies, base, shown })
        };
        Self { mounts: strategies.iter().map(mount).collect(), services: services.clone() }
    }

    /// The mounts, in the order of the home page.
    pub fn mounts(&self) -> &[Arc<Mount>] {
        &self.mounts
    }

    /// The seeded users, if there are any.
    pub fn demo(&self) -> Option<&Demo> {
        self.services.demo.as_ref()
    }

    /// What wakes open pages.
    pub fn login_events(&self) -> &LoginEvents {
        &self.services.login_events
    }

    /// The live runs of the revocation lab.
    pub fn runs(&self) -> &LiveRuns {
        &self.services.runs
    }

    /// The runs of the cost lab.
    pub fn cost(&self) -> &CostRuns {
        &self.services.cost
    }

    /// The strategies behind them.
    pub fn strategies(&self) -> impl Iterator<Item = &Arc<dyn AuthStrategy>> {
        self.mounts.iter().map(|mount| &mount.strategy)
    }
}

/// What each store answered: asked once, both at the same time.
pub(super) struct StoreHealth {
    sql: Result<(), StoreError>,
    redis: Result<(), StoreError>,
    /// What Redis is set up to do that costs a promise.
    pub warnings: Vec<String>,
}

impl StoreHealth {
    /// Whether what a strategy needs is there. Every strategy needs the users' database to open a login.
    pub fn of(&self, need: Backend) -> Result<(), &StoreError> {
        self.sql.as_ref()?;
        match need {
            Backend::None | Backend::Sql => Ok(()),
            Backend::Redis => self.redis.as_ref().copied(),
        }
    }
}

impl Services {
    /// Asks every store.
    pub(super) async fn health(&self) -> StoreHealth {
        let redis = async {
            match &self.redis {
                Some(redis) => match redis.ping().await {
                    Ok(()) => Ok(redis.warnings().await),
                    Err(error) => Err(error),
                },
                None => Err(StoreError::Absent { store: "Redis" }),
            }
        };
        let (sql, redis) = tokio::join!(self.sql.ping(), redis);
        let warnings = redis.as_ref().ok().cloned().unwrap_or_default();
        StoreHealth { sql, redis: redis.map(drop), warnings }
    }
}
