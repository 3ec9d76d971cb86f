//! What the routes share: the mounts, and the services of all mounts.

use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Value, context};
use poem::Request;
use poem::http::Method;
use serde::Serialize;

use super::blocked_users::BlockedUsers;
use super::changes_under_way::ChangesUnderWay;
use super::client::client_address;
use super::cookies::{CookieScope, KNOWN_BROWSER};
use super::flash::FlashMessages;
use super::health::HealthCheck;
use super::hosts::ServedHosts;
use super::login_events::LoginEvents;
use super::metrics::CheckMetrics;
use super::outages::Outages;
use super::rate_limits::{Origin, RateLimits};
use crate::account::Hasher;
use crate::auth::{AuthStrategy, Backend, Description, Keys};
use crate::clock::Clock;
use crate::identity::Role;
use crate::labs::cost::CostRuns;
use crate::labs::figures::Figures;
use crate::labs::revocation::live::LiveRuns;
use crate::network::TrustedProxies;
use crate::page::{KeptPanel, Pages, SharedPage};
use crate::server::Shutdown;
use crate::store::ended_users::EndedUsers;
use crate::store::users::Users;
use crate::store::{Redis, Sql};

/// The mounts and their services. Built once, in `app`.
pub struct AppState {
    /// In the order of the home page.
    pub(super) mounts: Vec<Arc<Mount>>,
    pub services: Arc<Services>,
    pub(super) shared_pages: SharedPages,
}

/// The pages with the same bytes for everybody.
#[derive(Default)]
pub(super) struct SharedPages {
    pub home: SharedPage,
    pub docs: SharedPage,
    pub openapi: SharedPage,
}

/// What all mounts share.
pub struct Services {
    pub pages: Pages,
    pub users: Users,
    pub ended_users: EndedUsers,
    pub hasher: Hasher,
    pub clock: Clock,
    pub rate_limits: RateLimits,
    pub trusted_proxies: TrustedProxies,
    /// The traces of the latest POSTs, for the page after each.
    pub flash: FlashMessages<KeptPanel>,
    /// What the latest POSTs did, where a page of its own says so.
    pub reports: FlashMessages<Value>,
    pub changes_under_way: ChangesUnderWay,
    pub login_events: LoginEvents,
    pub shutdown: Arc<Shutdown>,
    pub health: Arc<HealthCheck>,
    pub outages: Arc<Outages>,
    /// The logins of ended users that a failing store still holds.
    pub blocked_users: BlockedUsers,
    /// The node's name.
    pub node: String,
    /// The address that the browser sees, without a slash at the end.
    pub public_url: String,
    pub hosts: ServedHosts,
    /// Whether the browser sees https.
    pub secure: bool,
    pub demo: Option<Demo>,
    pub keys: Arc<Keys>,
    pub sql: Sql,
    pub redis: Option<Redis>,
    pub stores: Vec<StoreStatus>,
    pub live_runs: LiveRuns,
    pub cost_runs: CostRuns,
    /// Figures of an earlier measurement.
    pub figures: Option<Figures>,
}

/// A store as the home page shows it.
#[derive(Clone, Debug, Serialize)]
pub struct StoreStatus {
    pub name: &'static str,
    /// Where it is, in words.
    pub state: String,
    /// The backend that it is for the strategies. `None`: the server runs without it.
    #[serde(skip)]
    pub backend: Option<Backend>,
}

/// The demo users that the server seeded.
#[derive(Clone, Debug, Serialize)]
pub struct Demo {
    /// Their password on pages; `None` where strangers could read it.
    pub password: Option<String>,
    /// Their password on the terminal.
    #[serde(skip)]
    pub printed: String,
    pub users: Vec<DemoUser>,
}

#[derive(Clone, Debug, Serialize)]
pub struct DemoUser {
    pub name: String,
    pub role: Role,
}

/// A strategy and the path of its pages.
pub struct Mount {
    pub(super) strategy: Arc<dyn AuthStrategy>,
    pub(super) services: Arc<Services>,
    /// The strategies of all mounts: they share one password.
    pub(super) strategies: Arc<[Arc<dyn AuthStrategy>]>,
    base: String,
    /// A [`MountView`], converted once.
    pub(super) template_value: Value,
    /// The path and the label of every mount, for links.
    pub(super) links: Value,
    pub(super) checks: CheckMetrics,
}

/// A mount as templates read it.
#[derive(Serialize)]
pub(super) struct MountView<'a> {
    #[serde(flatten)]
    description: &'a Description,
    base: &'a str,
}

impl Mount {
    /// The path: `/jwt` for the strategy `jwt`.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn view(&self) -> MountView<'_> {
        MountView { description: self.strategy.describe(), base: &self.base }
    }
}

impl AppState {
    /// Mounts each strategy.
    pub fn new(services: Services, strategies: Vec<Arc<dyn AuthStrategy>>) -> Self {
        let services = Arc::new(services);
        let strategies: Arc<[_]> = strategies.into();
        let link = |strategy: &Arc<dyn AuthStrategy>| {
            let description = strategy.describe();
            context! { base => format!("/{}", description.slug), label => description.texts.label }
        };
        let links = strategies.iter().map(link).collect::<Value>();
        let mount = |strategy: &Arc<dyn AuthStrategy>| {
            let base = format!("/{}", strategy.describe().slug);
            let template_value = Value::from(Serde(MountView { description: strategy.describe(), base: &base }));
            let (strategy, strategies) = (strategy.clone(), strategies.clone());
            let links = links.clone();
            let checks = CheckMetrics::new(strategy.describe().slug);
            let services = services.clone();
            Arc::new(Mount { strategy, services, strategies, base, template_value, links, checks })
        };
        let mounts = strategies.iter().map(mount).collect();
        Self { mounts, services: services.clone(), shared_pages: SharedPages::default() }
    }

    pub fn mounts(&self) -> &[Arc<Mount>] {
        &self.mounts
    }

    /// The strategies, in the order of their mounts.
    pub fn strategies(&self) -> impl Iterator<Item = &Arc<dyn AuthStrategy>> {
        self.mounts.iter().map(|mount| &mount.strategy)
    }
}

impl Services {
    /// Where a request comes from. Only a POST tries a password, so only there the server reads the cookie.
    pub(super) fn origin(&self, request: &Request) -> Origin {
        let reads = self.rate_limits.is_on() && request.method() == Method::POST;
        let known_browser = reads.then(|| self.whole_server().read(KNOWN_BROWSER, request).one()).flatten();
        Origin { address: client_address(request, &self.trusted_proxies), known_browser }
    }

    /// The scope of a cookie for all mounts.
    pub(super) fn whole_server(&self) -> CookieScope<'static> {
        CookieScope { path: "/", secure: self.secure }
    }
}
