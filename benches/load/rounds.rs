//! The rounds: which ids run, and in which order.

use std::collections::BTreeMap;
use std::time::Duration;

use jwt_vs_session::labs::figures::LoadFigures;
use regex::Regex;

use super::sample::{Sample, figures};
use super::scene::Scene;
use crate::stage::run::PairedRatio;

/// An id and what it runs alternately with.
const PAIRS: [(&str, &str); 5] = [
    ("load/jwt", "load/floor/page"),
    ("load/jwt/json", "load/floor/json"),
    ("load/session/json", "load/jwt/json"),
    ("load/session/json", "load/floor/session"),
    ("load/session-tracked/json", "load/jwt/json"),
];

const ROUNDS: usize = 20;
const ROUND: Duration = Duration::from_millis(400);
const WARM_UP: Duration = Duration::from_millis(200);

/// The samples of every round, by id, and the processor times of the pairs.
#[derive(Default)]
pub struct Rounds {
    samples: BTreeMap<String, Vec<Sample>>,
    pairs: BTreeMap<(String, &'static str), Vec<(f64, f64)>>,
}

impl Rounds {
    /// Measures every id that the filter matches.
    pub async fn run(scene: &mut Scene, filter: Option<&Regex>) -> Self {
        let mut this = Self::default();
        for (id, against) in plan(scene) {
            let floor = against.filter(|against| against.starts_with("load/floor/"));
            if filter.is_none_or(|filter| filter.is_match(&id) || floor.is_some_and(|floor| filter.is_match(floor))) {
                eprintln!(
                    "{id}{}",
                    against.map_or_else(String::new, |against| format!(", alternately with {against}"))
                );
                this.measure(scene, &id, against).await;
            }
        }
        this
    }

    async fn measure(&mut self, scene: &mut Scene, id: &str, against: Option<&'static str>) {
        for id in [Some(id), against].into_iter().flatten() {
            scene.prepare(id).await;
            scene.measure(id, WARM_UP).await;
        }
        for _ in 0..ROUNDS {
            let Some(against) = against else {
                let sample = scene.measure(id, ROUND).await;
                self.add(id, sample);
                continue;
            };
            // In this order a machine that gets slower or faster favours neither.
            let before = scene.measure(against, ROUND / 2).await;
            let sample = scene.measure(id, ROUND).await;
            let floor = before.and(scene.measure(against, ROUND / 2).await);
            let round = (sample.processor_ns(), floor.processor_ns());
            self.pairs.entry((id.to_owned(), against)).or_default().push(round);
            self.add(id, sample);
            self.add(against, floor);
        }
    }

    fn add(&mut self, id: &str, sample: Sample) {
        self.samples.entry(id.to_owned()).or_default().push(sample.sorted());
    }

    pub fn figures(&self) -> Vec<LoadFigures> {
        self.samples.iter().filter_map(|(id, samples)| figures(id, samples)).collect()
    }

    pub fn ratios(&self) -> Vec<PairedRatio> {
        self.pairs.iter().filter_map(|((id, against), rounds)| PairedRatio::of(id, against, rounds)).collect()
    }
}

/// The page and the JSON route of each strategy.
fn plan(scene: &Scene) -> Vec<(String, Option<&'static str>)> {
    let ids = scene.slugs().flat_map(|slug| [format!("load/{slug}"), format!("load/{slug}/json")]);
    let with_pairs = ids.flat_map(|id| {
        let pairs = PAIRS.iter().filter(|(one, _)| *one == id).map(|(_, against)| Some(*against));
        let mut pairs: Vec<_> = pairs.collect();
        if pairs.is_empty() {
            pairs.push(None);
        }
        pairs.into_iter().map(move |against| (id.clone(), against))
    });
    with_pairs.collect()
}
