//! The strategies of an experiment: twice, as on two servers.

use std::time::Duration;

use super::parts::Parts;
use super::{StartError, close, strategies};
use crate::auth::{Promise, Subject};
use crate::clock::Clock;
use crate::config::Settings;
use crate::labs::nodes::{Pair, lab_user};
use crate::store::users::Users;
use crate::store::{PrivateRedis, Sql};

/// Life of a token where only expiry ends a login: an experiment does not wait for a quarter of an hour.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// Two nodes that share their stores, and a user to open logins for.
pub struct Lab {
    /// Each strategy on both nodes.
    pub pairs: Vec<Pair>,
    /// Whose logins.
    pub subject: Subject,
    databases: [Sql; 2],
    private_redis: Option<PrivateRedis>,
}

impl Lab {
    /// Opens the strategies `wanted`, or all of them.
    pub async fn open(settings: &Settings, wanted: &[String]) -> Result<Self, StartError> {
        let (first, private_redis) = Parts::open(settings, Clock::system()).await?;
        let second = first.second_node(settings).await?;
        let users = Users::new(first.sql.clone());
        let subject = lab_user(&users).await.map_err(StartError::Lab)?;
        let all = pairs(&first, &second);
        let unknown = wanted.iter().find(|slug| all.iter().all(|pair| pair.slug() != slug.as_str()));
        if let Some(unknown) = unknown {
            let known: Vec<_> = all.iter().map(Pair::slug).collect();
            return Err(StartError::UnknownStrategy(unknown.clone(), known.join(", ")));
        }
        let asked = |pair: &Pair| wanted.is_empty() || wanted.iter().any(|slug| pair.slug() == slug);
        let pairs = all.into_iter().filter(asked).collect();
        Ok(Self { pairs, subject, databases: [first.sql, second.sql], private_redis })
    }

    /// Closes the stores.
    pub async fn close(self) {
        drop(self.pairs);
        close(self.databases, self.private_redis).await;
    }
}

/// The strategies of both nodes, with short lives where only expiry ends a login.
fn pairs(first: &Parts, second: &Parts) -> Vec<Pair> {
    let short = |parts: &Parts| Parts { life: SHORT_LIFE, short_life: SHORT_LIFE, ..parts.clone() };
    let node = |parts: &Parts| {
        let both = strategies(parts).into_iter().zip(strategies(&short(parts)));
        let chosen = both.map(|(usual, short)| match usual.describe().promise {
            Promise::Expiry { .. } => short,
            Promise::Immediate | Promise::Push { .. } => usual,
        });
        chosen.collect::<Vec<_>>()
    };
    node(first).into_iter().zip(node(second)).map(|(same, other)| Pair { same, other }).collect()
}
