//! The two nodes of the labs: each strategy twice, on the same stores, over connections of its own.
//!
//! The first node is the server itself; the command line opens one in its place. The second node is opened at its first
//! use and kept. From the two come the pairs of the revocation lab, the users of its live runs, and the candidates of
//! the cost lab, whose stores may be behind a delay.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex, OnceCell};

use super::resources::Resources;
use super::{STRATEGIES, StartError, close, strategies};
use crate::auth::{Backend, Promise, SessionLimits};
use crate::clock::Clock;
use crate::config::Settings;
use crate::identity::Subject;
use crate::labs::cost::{Candidate, CostSetup, OpenCost};
use crate::labs::nodes::{NodePair, lab_user};
use crate::labs::revocation::live::{AT_ONCE, LIVE_LOGIN_LIFE, LiveSetup, OpenLive};
use crate::store::users::Users;
use crate::store::{PrivateRedis, Redis, StoreError};

/// Life of a token where only expiry ends a login: the labs do not wait for a quarter of an hour.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// The logins of the cost lab outlive a run, and expire not long after it if a store keeps the lab from revoking them.
const COST_LIFE: Duration = Duration::from_hours(1);

/// The numbers of the labs' users. Live runs take those from 1 on.
const REVOCATION_USER: usize = 0;
const COST_USER: usize = 100;

/// Two nodes that share their stores.
pub struct LabNodes {
    settings: Settings,
    first: Resources,
    second: OnceCell<Resources>,
    private_redis: Mutex<Option<PrivateRedis>>,
}

impl LabNodes {
    /// The nodes of a server, which is the first one.
    pub(super) fn of_server(settings: &Settings, first: Resources, private_redis: Option<PrivateRedis>) -> Self {
        Self { settings: settings.clone(), first, second: OnceCell::new(), private_redis: Mutex::new(private_redis) }
    }

    /// Opens the stores. Fails if one of the strategies `wanted` does not exist.
    pub async fn open(settings: &Settings, wanted: &[String]) -> Result<Self, StartError> {
        let (first, private_redis) = Resources::open(settings, Clock::system(), STRATEGIES).await?;
        let known: Vec<_> = strategies(&first).iter().map(|strategy| strategy.describe().slug).collect();
        let nodes = Self::of_server(settings, first, private_redis);
        match wanted.iter().find(|slug| !known.contains(&slug.as_str())) {
            None => Ok(nodes),
            Some(unknown) => {
                nodes.close().await;
                Err(StartError::UnknownStrategy(unknown.clone(), known.join(", ")))
            }
        }
    }

    /// What the revocation lab of the command line works on: the strategies `wanted`, or all, and a user.
    pub async fn revocation_setup(&self, wanted: &[String]) -> Result<(Vec<NodePair>, Subject), StoreError> {
        let mut pairs = self.pairs(SHORT_LIFE).await?;
        pairs.retain(|pair| is_wanted(wanted, pair));
        Ok((pairs, lab_user(&self.users(), REVOCATION_USER).await?))
    }

    /// Closes the stores of both nodes, then ends the private Redis.
    pub async fn close(&self) {
        let databases = [Some(&self.first), self.second.get()].map(|node| node.map(|node| node.sql.clone()));
        close(databases.into_iter().flatten(), self.private_redis.lock().await.take()).await;
    }

    async fn second(&self) -> Result<&Resources, StoreError> {
        let second = self.second.get_or_try_init(|| self.first.second_node(&self.settings)).await;
        second.map_err(|error| match error {
            StartError::Database(_, error) | StartError::Redis(error) => error,
            other => StoreError::unavailable("the second node", &other),
        })
    }

    /// Each strategy on both nodes. Where only expiry ends a login, tokens live for `life`.
    async fn pairs(&self, life: Duration) -> Result<Vec<NodePair>, StoreError> {
        let node = |usual: &Resources| {
            let short = Resources { life, short_life: life, ..usual.clone() };
            let both = strategies(usual).into_iter().zip(strategies(&short));
            both.map(|(usual, short)| match usual.describe().promise {
                Promise::Expiry { .. } => short,
                Promise::Immediate | Promise::Push { .. } => usual,
            })
            .collect::<Vec<_>>()
        };
        let both = node(&self.first).into_iter().zip(node(self.second().await?));
        Ok(both.map(|(same, other)| NodePair { same, other }).collect())
    }

    fn users(&self) -> Users {
        Users::new(self.first.sql.clone())
    }
}

fn is_wanted(wanted: &[String], pair: &NodePair) -> bool {
    wanted.is_empty() || wanted.iter().any(|slug| pair.slug() == slug)
}

#[async_trait]
impl OpenLive for LabNodes {
    async fn open_live(&self) -> Result<LiveSetup, StoreError> {
        let mut subjects = Vec::new();
        for number in 1..=AT_ONCE {
            subjects.push(lab_user(&self.users(), number).await?);
        }
        Ok(LiveSetup { pairs: self.pairs(LIVE_LOGIN_LIFE).await?, subjects, clock: self.first.clock.clone() })
    }
}

#[async_trait]
impl OpenCost for LabNodes {
    async fn open_cost(&self, wanted: &[String], delay: Duration) -> Result<CostSetup, StoreError> {
        let limits = SessionLimits { idle: COST_LIFE, absolute: 2 * COST_LIFE };
        let (life, first) = (COST_LIFE, self.first.clone());
        let direct = Resources { life, short_life: life, login_life: life, limits, ..first };
        let delayed = Resources {
            sql: direct.sql.with_latency(delay),
            redis: direct.redis.as_ref().map(|redis| redis.with_latency(delay)),
            ..direct.clone()
        };
        let all = strategies(&direct).into_iter().zip(strategies(&delayed)).zip(self.pairs(SHORT_LIFE).await?);
        let candidates = all.map(|((direct, delayed), pair)| {
            // A strategy without a store knows only the logins that it opened itself, and has no call to delay.
            let is_same = delay.is_zero() || direct.describe().backend == Backend::None;
            let delayed = if is_same { Arc::clone(&direct) } else { delayed };
            Candidate { direct, delayed, pair }
        });
        let candidates = candidates.filter(|candidate| is_wanted(wanted, &candidate.pair)).collect();
        let redis = delayed.redis.clone().unwrap_or_else(Redis::absent);
        let (users, clock) = (self.users(), self.first.clock.clone());
        let subject = lab_user(&users, COST_USER).await?;
        Ok(CostSetup { candidates, users, sql: delayed.sql, redis, subject, clock })
    }
}
