//! The strategies of the cost lab: each as the server has it, on stores that may be behind a delay, and twice for its
//! staleness.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::lab::{LiveLab, SHORT_LIFE, pairs};
use super::resources::Resources;
use super::{STRATEGIES, StartError, close, strategies};
use crate::auth::{Backend, SessionLimits};
use crate::clock::Clock;
use crate::config::Settings;
use crate::labs::cost::{Candidate, CostSetup, OpenCost};
use crate::labs::nodes::lab_user;
use crate::store::users::Users;
use crate::store::{PrivateRedis, Sql, StoreError};

/// Every login of the experiment outlives it, and ends by itself not long after if nobody ends it.
const LIFE: Duration = Duration::from_hours(1);

/// The number of the user whose logins are revoked.
const USER: usize = 100;

/// What the cost lab of the command line works on.
pub struct CostLab {
    /// The strategies.
    pub bench: Arc<CostSetup>,
    databases: [Sql; 2],
    private_redis: Option<PrivateRedis>,
}

impl CostLab {
    /// Opens the strategies `wanted`, or all of them, behind a delay.
    pub async fn open(settings: &Settings, wanted: &[String], delay: Duration) -> Result<Self, StartError> {
        let (first, private_redis) = Resources::open(settings, Clock::system(), STRATEGIES).await?;
        let second = first.second_node(settings).await?;
        let bench = bench(&first, &second, wanted, delay).await.map_err(StartError::Lab)?;
        let known = strategies(&first).iter().map(|strategy| strategy.describe().slug).collect::<Vec<_>>();
        if let Some(unknown) = wanted.iter().find(|slug| !known.contains(&slug.as_str())) {
            return Err(StartError::UnknownStrategy(unknown.clone(), known.join(", ")));
        }
        Ok(Self { bench: Arc::new(bench), databases: [first.sql, second.sql], private_redis })
    }

    /// Closes the stores.
    pub async fn close(self) {
        drop(self.bench);
        close(self.databases, self.private_redis).await;
    }
}

impl LiveLab {
    /// What a run of the cost lab asks for.
    pub fn cost_opener(&self) -> OpenCost {
        let lab = self.clone();
        Box::new(move |wanted, delay| {
            let lab = lab.clone();
            async move { lab.open_cost(&wanted, delay).await }.boxed()
        })
    }

    async fn open_cost(&self, wanted: &[String], delay: Duration) -> Result<CostSetup, StoreError> {
        bench(self.first(), self.second().await?, wanted, delay).await
    }
}

async fn bench(
    first: &Resources,
    second: &Resources,
    wanted: &[String],
    delay: Duration,
) -> Result<CostSetup, StoreError> {
    let limits = SessionLimits { idle: LIFE, absolute: 2 * LIFE };
    let lasting = Resources { life: LIFE, short_life: LIFE, login_life: LIFE, limits, ..first.clone() };
    let slowed = Resources {
        sql: lasting.sql.with_latency(delay),
        redis: lasting.redis.as_ref().map(|redis| redis.with_latency(delay)),
        ..lasting.clone()
    };
    let users = Users::new(first.sql.clone());
    let subject = lab_user(&users, USER).await?;
    let all = strategies(&lasting).into_iter().zip(strategies(&slowed)).zip(pairs(first, second, SHORT_LIFE));
    let candidates = all.map(|((near, far), pair)| {
        // What needs no store knows only the logins that it opened itself, and has nothing to wait for.
        let same = delay.is_zero() || near.describe().backend == Backend::None;
        let far = if same { Arc::clone(&near) } else { far };
        Candidate { direct: near, delayed: far, pair }
    });
    let asked = |candidate: &Candidate| wanted.is_empty() || wanted.iter().any(|slug| candidate.pair.slug() == slug);
    let redis = slowed.redis();
    let candidates = candidates.filter(asked).collect();
    Ok(CostSetup { candidates, users, sql: slowed.sql, redis, subject, clock: first.clock.clone() })
}
