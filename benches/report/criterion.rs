//! Reads criterion's files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jwt_vs_session::labs::figures::{Figures, Spread, StrategyFigures};
use serde::Deserialize;

use super::plain;
use super::run::{BenchRun, PairedRatio, ReadError, StrategyCounts, read};

/// All figures of a run.
#[derive(Clone, Debug)]
pub struct BenchFigures {
    pub run: BenchRun,
    /// In nanoseconds, by ids such as `lookup/jwt`. Those of `load/…` are processor time.
    pub by_id: BTreeMap<String, Spread>,
}

/// The part of `benchmark.json` that the report needs.
#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
}

/// The part of `estimates.json` that the report needs.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// The part of `sample.json` that the report needs.
#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

impl BenchFigures {
    /// Reads criterion's folder, usually `target/criterion`.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        let mut benches = Vec::new();
        collect(folder, &mut benches)?;
        if benches.is_empty() && !folder.join(BenchRun::FILE).is_file() {
            return Err(ReadError::Empty(folder.to_owned()));
        }
        let run = BenchRun::read(folder)?;
        let begun = UNIX_EPOCH + Duration::from_millis(run.begun);
        let of_the_run = benches.into_iter().filter(|(written, ..)| *written >= begun);
        let mut by_id: BTreeMap<_, _> = of_the_run.map(|(_, id, spread)| (id, spread)).collect();
        for load in &run.loads {
            by_id.insert(load.id.clone(), load.processor_ns);
            by_id.insert(format!("{}/redis", load.id), load.redis_ns);
        }
        if by_id.is_empty() { Err(ReadError::Empty(folder.to_owned())) } else { Ok(Self { run, by_id }) }
    }

    /// The median in nanoseconds, if the bench ran.
    pub fn median(&self, id: &str) -> Option<f64> {
        self.by_id.get(id).map(|spread| spread.median)
    }

    /// The ratio of two benches that ran alternately.
    pub fn pair(&self, id: &str, against: &str) -> Option<&PairedRatio> {
        self.run.pairs.iter().find(|pair| pair.id == id && pair.against == against)
    }

    pub fn counts(&self, strategy: &str) -> Option<&StrategyCounts> {
        self.run.strategies.iter().find(|counts| counts.strategy == strategy)
    }

    /// The figures that the frontier and the capacity view show.
    pub fn figures(&self) -> Figures {
        let rows: Vec<_> = self.run.strategies.iter().filter_map(|counts| self.row(counts)).collect();
        let plain = plain::figures(&self.by_id, &rows);
        let (source, loads) = (self.run.source.clone(), self.run.loads.clone());
        Figures { source, rows, plain, loads, not_comparable: Vec::new() }
    }

    fn row(&self, counts: &StrategyCounts) -> Option<StrategyFigures> {
        let spread = |group: &str| self.by_id.get(&format!("{group}/{}", counts.strategy)).copied();
        let half_hits = self.median(&format!("lookup/{}-hits-50", counts.strategy));
        let identify_ns = spread("lookup")?;
        Some(StrategyFigures {
            strategy: counts.strategy.clone(),
            identify_ns,
            // Without a call to a store the processor works all the time.
            identify_mean_ns: None,
            cpu_ns: (counts.store_calls == 0.0).then_some(identify_ns.median),
            issue_ns: spread("issue"),
            revoke_ns: spread("revoke"),
            store_calls: counts.store_calls,
            request_bytes: counts.request_bytes,
            stored_bytes: counts.stored_bytes,
            user_bytes: counts.user_bytes,
            // Half of these checks were misses, and the time of a hit is known.
            miss_ns: half_hits.map(|half| 2.0 * half - identify_ns.median),
            setup: counts.setup.clone(),
            staleness_ms: None,
        })
    }
}

/// Searches the folders below. The last figures of a bench are in a folder named `new`; the time is that of writing.
fn collect(folder: &Path, benches: &mut Vec<(SystemTime, String, Spread)>) -> Result<(), ReadError> {
    let unreadable = |source| ReadError::Unreadable { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if !path.is_dir() {
            continue;
        }
        if path.ends_with("new") && path.join("benchmark.json").is_file() {
            let benchmark: Benchmark = read(&path.join("benchmark.json"))?;
            let written = fs::metadata(path.join("estimates.json")).and_then(|file| file.modified());
            benches.push((written.map_err(unreadable)?, benchmark.full_id, spread(&path)?));
        } else {
            collect(&path, benches)?;
        }
    }
    Ok(())
}

fn spread(folder: &Path) -> Result<Spread, ReadError> {
    let estimates: Estimates = read(&folder.join("estimates.json"))?;
    let path = folder.join("sample.json");
    let sample: Sample = read(&path)?;
    let each = sample.times.iter().zip(&sample.iters).map(|(time, iters)| time / iters).collect();
    let Some(spread) = Spread::of(each) else {
        return Err(ReadError::Broken { path, detail: "it holds no sample".to_owned() });
    };
    Ok(Spread { median: estimates.median.point_estimate, ..spread })
}
