//! Reads what `cargo bench` left behind: criterion's files, and the facts of the run beside them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::figures::{Figures, Source, Spread, StrategyFigures};

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file or a folder cannot be read.
    #[error("{} cannot be read ({source}); cargo bench --bench lookup writes it", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{} is not what criterion writes: {detail}", path.display())]
    Broken {
        /// Which.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
    /// The folder holds nothing.
    #[error("there are no figures in {}; cargo bench --bench lookup writes them", .0.display())]
    Empty(PathBuf),
}

/// What belongs to a run and is no time. The bench writes it, in a file beside criterion's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BenchRun {
    /// Where it ran.
    pub source: Source,
    /// When it began, in milliseconds since the Unix epoch: what criterion measured before is of another run.
    #[serde(default)]
    pub begun: u64,
    /// Which program it was: figures of two builds are not one run.
    #[serde(default)]
    pub program: String,
    /// What was counted of each strategy.
    pub strategies: Vec<StrategyCounts>,
    /// What was measured in turns with what it is held against.
    #[serde(default)]
    pub pairs: Vec<PairedRatio>,
}

/// Two benches that took turns of some milliseconds.
///
/// A machine changes within minutes, by more than many a ratio here: so a ratio is taken between neighbours, and the
/// median of all of them counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedRatio {
    /// As in `lookup/jwt`.
    pub id: String,
    /// As in `floor/jwt`.
    pub against: String,
    /// So many times the other one.
    pub times: Spread,
    /// So much more than the other one, in nanoseconds. Less than it is below zero.
    pub more_ns: Spread,
    /// Its median in nanoseconds.
    pub median_ns: f64,
    /// The other one's.
    pub against_median_ns: f64,
}

impl PairedRatio {
    /// Of turns: nanoseconds for each question and for each of the other's. `None` without any.
    pub fn of(id: &str, against: &str, turns: &[(f64, f64)]) -> Option<Self> {
        let spread = |each: fn(&(f64, f64)) -> f64| Spread::of(turns.iter().map(each).collect());
        Some(Self {
            id: id.to_owned(),
            against: against.to_owned(),
            times: spread(|(one, other)| one / other)?,
            more_ns: spread(|(one, other)| one - other)?,
            median_ns: spread(|turn| turn.0)?.median,
            against_median_ns: spread(|turn| turn.1)?.median,
        })
    }
}

/// What was counted of one strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrategyCounts {
    /// Its name.
    pub strategy: String,
    /// Calls to a store for each request.
    pub store_calls: f64,
    /// The credentials as sent with each request, in bytes.
    pub request_bytes: u64,
    /// On the server, for the first login of a user, in bytes.
    pub stored_bytes: u64,
    /// How many of these are of the user: further logins share them.
    #[serde(default)]
    pub user_bytes: u64,
    /// The set-up that was measured: see [`crate::auth::Description::setup`].
    #[serde(default)]
    pub setup: Option<String>,
}

impl BenchRun {
    /// Its name in criterion's folder.
    pub const FILE: &'static str = "run.json";

    /// From criterion's folder.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        read(&folder.join(Self::FILE))
    }
}

/// All figures of a run: nanoseconds by id.
#[derive(Clone, Debug)]
pub struct BenchFigures {
    /// What belongs to it.
    pub run: BenchRun,
    /// As in `lookup/jwt`.
    pub by_id: BTreeMap<String, Spread>,
}

/// `benchmark.json`, as much as is needed.
#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
}

/// `estimates.json`, as much as is needed.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// `sample.json`, as much as is needed.
#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

impl BenchFigures {
    /// From criterion's folder, usually `target/criterion`.
    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        let mut dated = Vec::new();
        collect(folder, &mut dated)?;
        if dated.is_empty() {
            return Err(ReadError::Empty(folder.to_owned()));
        }
        let run = BenchRun::read(folder)?;
        let begun = UNIX_EPOCH + Duration::from_millis(run.begun);
        let of_the_run = dated.into_iter().filter(|(written, ..)| *written >= begun);
        let by_id: BTreeMap<_, _> = of_the_run.map(|(_, id, interval)| (id, interval)).collect();
        if by_id.is_empty() { Err(ReadError::Empty(folder.to_owned())) } else { Ok(Self { run, by_id }) }
    }

    /// The median of a bench, if it was run.
    pub fn median(&self, id: &str) -> Option<f64> {
        self.by_id.get(id).map(|interval| interval.median)
    }

    /// A bench and what it was measured in turns with.
    pub fn pair(&self, id: &str, against: &str) -> Option<&PairedRatio> {
        self.run.pairs.iter().find(|pair| pair.id == id && pair.against == against)
    }

    /// What was counted of a strategy.
    pub fn facts(&self, strategy: &str) -> Option<&StrategyCounts> {
        self.run.strategies.iter().find(|facts| facts.strategy == strategy)
    }

    /// The rows that the frontier and the capacity sheet are made of.
    pub fn figures(&self) -> Figures {
        let row = |facts: &StrategyCounts| {
            let of = |group: &str| self.by_id.get(&format!("{group}/{}", facts.strategy)).copied();
            let of_hits = |share: u8| self.by_id.get(&format!("lookup/{}-hits-{share}", facts.strategy));
            let identify_ns = of("lookup")?;
            Some(StrategyFigures {
                strategy: facts.strategy.clone(),
                identify_ns,
                // Where nobody is waited for, the processor works all the time.
                identify_mean_ns: None,
                cpu_ns: (facts.store_calls == 0.0).then_some(identify_ns.median),
                issue_ns: of("issue"),
                revoke_ns: of("revoke"),
                store_calls: facts.store_calls,
                request_bytes: facts.request_bytes,
                stored_bytes: facts.stored_bytes,
                user_bytes: facts.user_bytes,
                // Half of those found none: the half that did is known.
                miss_ns: of_hits(50).map(|half| 2.0 * half.median - identify_ns.median),
                setup: facts.setup.clone(),
                staleness_ms: None,
            })
        };
        Figures {
            source: self.run.source.clone(),
            rows: self.run.strategies.iter().filter_map(row).collect(),
            not_comparable: Vec::new(),
        }
    }
}

/// Looks into every folder below; what was measured last is in one named `new`. With the time when that was.
fn collect(folder: &Path, dated: &mut Vec<(SystemTime, String, Spread)>) -> Result<(), ReadError> {
    let unreadable = |source| ReadError::Unreadable { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if !path.is_dir() {
            continue;
        }
        if path.ends_with("new") && path.join("benchmark.json").is_file() {
            let benchmark: Benchmark = read(&path.join("benchmark.json"))?;
            let written = fs::metadata(path.join("estimates.json")).and_then(|file| file.modified());
            dated.push((written.map_err(unreadable)?, benchmark.full_id, interval(&path)?));
        } else {
            collect(&path, dated)?;
        }
    }
    Ok(())
}

fn interval(folder: &Path) -> Result<Spread, ReadError> {
    let estimates: Estimates = read(&folder.join("estimates.json"))?;
    let path = folder.join("sample.json");
    let sample: Sample = read(&path)?;
    let each = sample.times.iter().zip(&sample.iters).map(|(time, iters)| time / iters).collect();
    let Some(spread) = Spread::of(each) else {
        return Err(ReadError::Broken { path, detail: "there is no sample in it".to_owned() });
    };
    Ok(Spread { median: estimates.median.point_estimate, ..spread })
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ReadError> {
    let text = fs::read_to_string(path).map_err(|source| ReadError::Unreadable { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|error| ReadError::Broken { path: path.to_owned(), detail: error.to_string() })
}
