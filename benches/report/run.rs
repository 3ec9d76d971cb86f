//! The facts of a run that are not times. The bench writes them beside criterion's files; the report reads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use jwt_vs_session::labs::figures::{LoadFigures, Source, Spread};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{} cannot be read ({source}); cargo bench --bench lookup writes it", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is not what criterion writes: {detail}", path.display())]
    Broken { path: PathBuf, detail: String },
    #[error("there are no figures in {}; cargo bench --bench lookup writes them", .0.display())]
    Empty(PathBuf),
}

/// One run of the benches.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BenchRun {
    pub source: Source,
    /// When it began, in milliseconds since the Unix epoch: older files of criterion belong to another run.
    #[serde(default)]
    pub begun: u64,
    /// When the server and each bench were built: figures of two builds are not one run.
    #[serde(default)]
    pub programs: BTreeMap<String, String>,
    pub strategies: Vec<StrategyCounts>,
    #[serde(default)]
    pub pairs: Vec<PairedRatio>,
    #[serde(default)]
    pub loads: Vec<LoadFigures>,
}

/// Two benches that ran alternately, some milliseconds each.
///
/// The speed of a machine changes within minutes, often by more than the ratio of two benches. So each ratio compares
/// neighbours in time, and the median of all ratios counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedRatio {
    /// Such as `lookup/jwt`.
    pub id: String,
    /// The id of the floor, such as `floor/jwt`.
    pub against: String,
    /// The one divided by its floor.
    pub times: Spread,
    /// The one minus its floor, in nanoseconds.
    pub more_ns: Spread,
    pub median_ns: f64,
    pub against_median_ns: f64,
}

impl PairedRatio {
    /// From rounds: nanoseconds for each check of the one and of its floor. `None` without rounds.
    #[allow(dead_code)] // the report only reads ratios
    pub fn of(id: &str, against: &str, rounds: &[(f64, f64)]) -> Option<Self> {
        let spread = |value: fn(&(f64, f64)) -> f64| Spread::of(rounds.iter().map(value).collect());
        Some(Self {
            id: id.to_owned(),
            against: against.to_owned(),
            times: spread(|(one, floor)| one / floor)?,
            more_ns: spread(|(one, floor)| one - floor)?,
            median_ns: spread(|round| round.0)?.median,
            against_median_ns: spread(|round| round.1)?.median,
        })
    }
}

/// What was counted under one strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrategyCounts {
    /// The slug.
    pub strategy: String,
    /// For each check.
    pub store_calls: f64,
    /// The credentials that each request carries.
    pub request_bytes: u64,
    /// On the server, for the first login of a user.
    pub stored_bytes: u64,
    /// The part of `stored_bytes` that the user's further logins share.
    #[serde(default)]
    pub user_bytes: u64,
    /// See [`jwt_vs_session::auth::Description::setup`].
    #[serde(default)]
    pub setup: Option<String>,
}

impl BenchRun {
    /// The name of its file in criterion's folder.
    pub const FILE: &'static str = "run.json";

    pub fn read(folder: &Path) -> Result<Self, ReadError> {
        read(&folder.join(Self::FILE))
    }
}

/// Where criterion writes: as criterion itself decides it.
pub fn criterion_folder() -> PathBuf {
    if let Some(home) = std::env::var_os("CRITERION_HOME") {
        return home.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target");
    target.unwrap_or_else(default).join("criterion")
}

/// Reads a file of JSON.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ReadError> {
    let text = fs::read_to_string(path).map_err(|source| ReadError::Unreadable { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|error| ReadError::Broken { path: path.to_owned(), detail: error.to_string() })
}
