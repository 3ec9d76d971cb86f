//! The composition root: opens the stores, builds the strategies, mounts them.
//!
//! A new strategy is a file in `auth/` and a line in `strategies.rs`: `docs/tenth-strategy.md` shows every step.

mod demo;
mod exposure;
mod lab_nodes;
mod node;
mod readiness;
mod reset;
mod resources;
mod start_error;
mod strategies;

use std::collections::HashSet;
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::{Endpoint, Response};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use self::lab_nodes::LabNodes;
pub use self::node::Node;
pub use self::readiness::StrategyReadiness;
pub use self::resources::{BuiltStrategy, Resources, StrategyEntry};
pub use self::start_error::StartError;
pub use self::strategies::STRATEGIES;
use crate::account::{Hasher, KnownBrowsers};
use crate::auth::AuthStrategy;
use crate::clock::Clock;
use crate::config::Settings;
use crate::flow::{
    self, AppState, BlockedUsers, ChangesUnderWay, Demo, EndedUserWatch, FlashMessages, HealthCheck, LoginEvents,
    Outages, RateLimits, ServedHosts, Services,
};
use crate::labs::cost::CostRuns;
use crate::labs::figures::Figures;
use crate::labs::revocation::live::LiveRuns;
use crate::network::TrustedProxies;
use crate::page::Pages;
use crate::server::{self, ConnectionLimits};
use crate::store::ended_users::EndedUsers;
use crate::store::users::Users;
use crate::store::{PrivateRedis, Sql};
use crate::telemetry;

/// A server that accepts connections and waits to be run.
pub struct App {
    listener: TcpListener,
    address: SocketAddr,
    state: Arc<AppState>,
    nodes: Arc<LabNodes>,
    /// Whether only this machine can reach the server.
    is_local: bool,
    connection_limits: ConnectionLimits,
    ended_users: EndedUserWatch,
}

impl App {
    /// Opens everything that the settings name and binds the address.
    pub async fn open(settings: &Settings, clock: Clock) -> Result<Self, StartError> {
        Self::open_with(settings, clock, STRATEGIES).await
    }

    /// The same with another list of strategies.
    pub async fn open_with(
        settings: &Settings,
        clock: Clock,
        list: &'static [StrategyEntry],
    ) -> Result<Self, StartError> {
        let listen = |error| StartError::Listen(settings.listen.clone(), error);
        let listener = TcpListener::bind(&settings.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (resources, private_redis) = Resources::open(settings, clock.clone(), list).await?;
        let users = Users::new(resources.sql.clone());
        let hasher = Hasher::new(Hasher::default_slots(), settings.password_min)?;
        let public_url = public_url(settings, address);
        exposure::warn_of_cleartext(settings, address, &public_url);
        let ended_users = EndedUsers::new(resources.sql.clone(), clock.clone());
        let demo = demo::seed_or_lock(settings, address, (&users, &ended_users), &hasher, &clock).await?;
        let strategies = strategies(&resources);
        refuse_doubles(&strategies)?;
        let nodes = Arc::new(LabNodes::of_server(settings, resources.clone(), private_redis));
        let figures =
            figures(settings)?.map(|all| all.comparable_with(strategies.iter().map(|strategy| strategy.describe())));
        let health = Arc::new(HealthCheck::new(resources.sql.clone(), resources.redis.clone()));
        let services = Services {
            pages: Pages::new(settings.templates.clone()),
            users,
            ended_users,
            hasher,
            clock,
            rate_limits: rate_limits(settings, &resources),
            trusted_proxies: TrustedProxies::new(settings.trusted_proxy.clone()),
            flash: FlashMessages::default(),
            reports: FlashMessages::default(),
            changes_under_way: ChangesUnderWay::default(),
            login_events: LoginEvents::default(),
            shutdown: Arc::default(),
            outages: Arc::new(Outages::new(health.clone())),
            health,
            blocked_users: BlockedUsers::default(),
            node: node(settings, address),
            secure: public_url.starts_with("https://"),
            public_url,
            hosts: served_hosts(settings, demo.as_ref()),
            demo,
            keys: resources.keys.clone(),
            sql: resources.sql.clone(),
            redis: resources.redis.clone(),
            stores: resources.states.clone(),
            live_runs: LiveRuns::new(nodes.clone()),
            cost_runs: CostRuns::new(nodes.clone()),
            figures,
        };
        let state = Arc::new(AppState::new(services, strategies));
        let mut ended_users = EndedUserWatch::new(state.clone(), longest_life(settings));
        let failed = |error| StartError::Database(settings.database_url.to_string(), error);
        ended_users.catch_up().await.map_err(failed)?;
        let is_local = exposure::is_local(settings, address);
        let connection_limits = settings.connection_limits();
        Ok(Self { listener, address, state, nodes, is_local, connection_limits, ended_users })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The node's name.
    pub fn node(&self) -> &str {
        &self.state.services.node
    }

    /// The strategies, in the order of their mounts.
    pub fn strategies(&self) -> impl Iterator<Item = &Arc<dyn AuthStrategy>> {
        self.state.strategies()
    }

    /// The demo users, if the start seeded them.
    pub fn demo(&self) -> Option<&Demo> {
        self.state.services.demo.as_ref()
    }

    /// Whether others can reach the server and it seeded no user for them.
    pub fn needs_users(&self) -> bool {
        self.demo().is_none() && !self.is_local
    }

    /// All routes, without a socket.
    pub fn endpoint(&self) -> impl Endpoint<Output = Response> + use<> {
        flow::routes(&self.state)
    }

    /// Answers requests until `stop`, finishes those under way, and closes the stores.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let routes = self.endpoint();
        let state = self.state;
        let shutdown = state.services.shutdown.clone();
        let stop = async {
            stop.await;
            state.services.shutdown.announce();
            state.services.login_events.closing();
            tokio::join!(state.services.live_runs.close(), state.services.cost_runs.close());
        };
        let mut upkeep = JoinSet::new();
        upkeep.spawn(self.ended_users.run());
        upkeep.spawn(telemetry::upkeep());
        let served = server::serve(self.listener, routes, self.connection_limits, shutdown, stop).await;
        upkeep.shutdown().await;
        drop(state);
        self.nodes.close().await;
        served
    }
}

/// Closes the databases, then ends the private Redis.
async fn close(databases: impl IntoIterator<Item = Sql>, private_redis: Option<PrivateRedis>) {
    for sql in databases {
        sql.close().await;
    }
    if let Some(redis) = private_redis {
        redis.stop().await;
    }
}

fn rate_limits(settings: &Settings, resources: &Resources) -> RateLimits {
    let known_browsers = KnownBrowsers::new(resources.keys.derive_secrets("known browsers"));
    RateLimits::new(settings.login_rate, &resources.clock, resources.sql.clone(), known_browsers)
}

/// The strategies of one node.
fn strategies(resources: &Resources) -> Vec<Arc<dyn AuthStrategy>> {
    resources.build().into_iter().map(|built| built.strategy).collect()
}

/// Two strategies with one slug would be two mounts at one path.
fn refuse_doubles(strategies: &[Arc<dyn AuthStrategy>]) -> Result<(), StartError> {
    let mut slugs = HashSet::new();
    let double = strategies.iter().map(|strategy| strategy.describe().slug).find(|slug| !slugs.insert(*slug));
    double.map_or(Ok(()), |slug| Err(StartError::DoubleStrategy(slug)))
}

/// Reads the figures from the file of the settings, or those built into the program.
fn figures(settings: &Settings) -> Result<Option<Figures>, StartError> {
    let Some(file) = &settings.figures else { return Ok(Figures::embedded()) };
    let failed = |error: &dyn Display| StartError::Figures(file.display().to_string(), error.to_string());
    let text = std::fs::read_to_string(file).map_err(|error| failed(&error))?;
    Figures::parse(&text).map(Some).map_err(|error| failed(&error))
}

fn public_url(settings: &Settings, address: SocketAddr) -> String {
    match &settings.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None if address.ip().is_unspecified() => format!("http://localhost:{}", address.port()),
        None => format!("http://{address}"),
    }
}

fn served_hosts(settings: &Settings, demo: Option<&Demo>) -> ServedHosts {
    match &settings.public_url {
        _ if demo.is_some_and(|demo| demo.password.is_some()) => ServedHosts::Loopback,
        Some(url) => ServedHosts::Public(url.clone()),
        None => ServedHosts::Any,
    }
}

/// The longest life of a login under any strategy.
fn longest_life(settings: &Settings) -> Duration {
    let lives = [settings.access_ttl, settings.short_ttl, settings.refresh_ttl, settings.session_absolute];
    lives.into_iter().max().unwrap_or_default()
}

fn node(settings: &Settings, address: SocketAddr) -> String {
    settings.node.clone().unwrap_or_else(|| {
        let host = gethostname::gethostname().to_string_lossy().replace(|c: char| !c.is_ascii_graphic(), "-");
        format!("{host}:{}", address.port())
    })
}
