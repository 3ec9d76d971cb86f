//! The strategies of an experiment: twice, as on two servers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::OnceCell;

use super::resources::Resources;
use super::{STRATEGIES, StartError, close, strategies};
use crate::auth::Promise;
use crate::clock::Clock;
use crate::config::Settings;
use crate::identity::Subject;
use crate::labs::nodes::{NodePair, lab_user};
use crate::labs::revocation::live::{self, LiveSetup, OpenBench};
use crate::store::users::Users;
use crate::store::{PrivateRedis, Sql, StoreError};

/// How many experiments a server runs at once.
const RUNS: usize = 4;

/// Life of a token where only expiry ends a login: an experiment does not wait for a quarter of an hour.
pub(super) const SHORT_LIFE: Duration = Duration::from_secs(1);

/// Two nodes that share their stores, and a user to open logins for.
pub struct Lab {
    /// Each strategy on both nodes.
    pub pairs: Vec<NodePair>,
    /// Whose logins.
    pub subject: Subject,
    databases: [Sql; 2],
    private_redis: Option<PrivateRedis>,
}

impl Lab {
    /// Opens the strategies `wanted`, or all of them.
    pub async fn open(settings: &Settings, wanted: &[String]) -> Result<Self, StartError> {
        let (first, private_redis) = Resources::open(settings, Clock::system(), STRATEGIES).await?;
        let second = first.second_node(settings).await?;
        let users = Users::new(first.sql.clone());
        let subject = lab_user(&users, 0).await.map_err(StartError::Lab)?;
        let all = pairs(&first, &second, SHORT_LIFE);
        let unknown = wanted.iter().find(|slug| all.iter().all(|pair| pair.slug() != slug.as_str()));
        if let Some(unknown) = unknown {
            let known: Vec<_> = all.iter().map(NodePair::slug).collect();
            return Err(StartError::UnknownStrategy(unknown.clone(), known.join(", ")));
        }
        let asked = |pair: &NodePair| wanted.is_empty() || wanted.iter().any(|slug| pair.slug() == slug);
        let pairs = all.into_iter().filter(asked).collect();
        Ok(Self { pairs, subject, databases: [first.sql, second.sql], private_redis })
    }

    /// Closes the stores.
    pub async fn close(self) {
        drop(self.pairs);
        close(self.databases, self.private_redis).await;
    }
}

/// The experiment of a running server: its own node, and a second one that is opened at the first run and kept.
#[derive(Clone)]
pub(super) struct LiveLab {
    settings: Settings,
    first: Resources,
    second: Arc<OnceCell<Resources>>,
}

impl LiveLab {
    pub fn new(settings: &Settings, first: &Resources) -> Self {
        Self { settings: settings.clone(), first: first.clone(), second: Arc::default() }
    }

    /// What the runs ask for.
    pub fn opener(&self) -> OpenBench {
        let lab = self.clone();
        Box::new(move || {
            let lab = lab.clone();
            async move { lab.open().await }.boxed()
        })
    }

    /// The server's own node.
    pub fn first(&self) -> &Resources {
        &self.first
    }

    /// The other one.
    pub async fn second(&self) -> Result<&Resources, StoreError> {
        let second = self.second.get_or_try_init(|| self.first.second_node(&self.settings)).await;
        second.map_err(|error| match error {
            StartError::Database(_, error) | StartError::Redis(error) => error,
            other => StoreError::new("the second node", &other),
        })
    }

    async fn open(&self) -> Result<LiveSetup, StoreError> {
        let second = self.second().await?;
        let users = Users::new(self.first.sql.clone());
        let mut subjects = Vec::new();
        for number in 1..=RUNS {
            subjects.push(lab_user(&users, number).await?);
        }
        Ok(LiveSetup { pairs: pairs(&self.first, second, live::LIFE), subjects, clock: self.first.clock.clone() })
    }

    /// The database of the second node, if it was opened, for the end.
    pub fn database(&self) -> Option<Sql> {
        self.second.get().map(|second| second.sql.clone())
    }
}

/// The strategies of both nodes, with short lives where only expiry ends a login.
pub(super) fn pairs(first: &Resources, second: &Resources, life: Duration) -> Vec<NodePair> {
    let short = |parts: &Resources| Resources { life, short_life: life, ..parts.clone() };
    let node = |parts: &Resources| {
        let both = strategies(parts).into_iter().zip(strategies(&short(parts)));
        let chosen = both.map(|(usual, short)| match usual.describe().promise {
            Promise::Expiry { .. } => short,
            Promise::Immediate | Promise::Push { .. } => usual,
        });
        chosen.collect::<Vec<_>>()
    };
    node(first).into_iter().zip(node(second)).map(|(same, other)| NodePair { same, other }).collect()
}
