//! Every strategy of a list in every form that the suite tests: as the server has it, with other signatures, without
//! Redis, on PostgreSQL.

use std::slice;

use jwt_vs_session::app::{BuiltStrategy, Node, StrategyEntry};
use jwt_vs_session::auth::SigningAlgorithm::{self, EdDsa, Es256, Hs256, Rs256};
use jwt_vs_session::auth::{Backend, Description};
use jwt_vs_session::clock::Clock;

use super::fixture::settings;
use crate::common::folder;

/// A strategy of the list, and the settings that it runs with.
#[derive(Clone)]
pub struct Variant {
    /// The slug, and what differs from the default settings.
    pub name: String,
    pub entry: &'static [StrategyEntry],
    pub algorithm: SigningAlgorithm,
    pub on_postgres: bool,
    pub description: Description,
    pub keeps_records: bool,
}

impl Variant {
    #[allow(clippy::trivially_copy_pass_by_ref)] // a slice of one is made of it
    fn new(entry: &'static StrategyEntry, built: &BuiltStrategy) -> Self {
        let description = built.strategy.describe().clone();
        Self {
            name: description.slug.to_owned(),
            entry: slice::from_ref(entry),
            algorithm: Hs256,
            on_postgres: false,
            description,
            keeps_records: built.records.is_some(),
        }
    }

    fn suffixed(&self, suffix: &str) -> Self {
        Self { name: format!("{}-{suffix}", self.name), ..self.clone() }
    }

    /// The same strategy on PostgreSQL.
    pub fn on_postgres(&self) -> Self {
        Self { on_postgres: true, ..self.suffixed("on-postgres") }
    }

    /// Where nothing but a signature decides about a login, other signatures are tested too.
    fn with_other_signatures(&self) -> Vec<Self> {
        let signature_alone = self.description.signed_with.is_some() && self.description.backend == Backend::None;
        let others = [Es256, EdDsa, Rs256].into_iter().filter(|_| signature_alone);
        let with = |algorithm: SigningAlgorithm| Self { algorithm, ..self.suffixed(&algorithm.name().to_lowercase()) };
        others.map(with).collect()
    }
}

/// Builds every strategy once to read its description. Nothing connects to Redis.
pub async fn variants(list: &'static [StrategyEntry]) -> Vec<Variant> {
    let folder = folder();
    let open = async |redis_url| {
        let settings = settings(folder.path(), redis_url, None, Hs256);
        Node::open_with(&settings, Clock::system(), list).await.expect("a node")
    };
    let (with_redis, without) = (open(Some("redis+unix:///nowhere/redis.sock")).await, open(None).await);
    let mut all = Vec::new();
    for (entry, (built, fallback)) in list.iter().zip(with_redis.built().iter().zip(without.built())) {
        let usual = Variant::new(entry, built);
        let other = Variant::new(entry, fallback);
        all.extend(usual.with_other_signatures());
        if other.description.backend != usual.description.backend {
            all.push(other.suffixed("without-redis"));
        }
        all.push(usual);
    }
    all
}
