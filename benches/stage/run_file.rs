//! Writes the facts of a run that are not times, beside criterion's files.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_vs_session::labs::figures::{LoadFigures, Method, Source};
use sea_orm::sqlx;

use super::Stage;
use super::run::{BenchRun, PairedRatio, StrategyCounts, criterion_folder};

/// What only the beginning of a bench shows.
pub struct Beginning {
    /// Milliseconds since the Unix epoch.
    at: u64,
    /// The load of the machine before the bench adds to it.
    load: Option<f64>,
}

pub fn beginning() -> Beginning {
    Beginning { at: millis(SystemTime::now()), load: Source::here(Method::Criterion, "").load }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("64 bits")
}

/// The name of the server among the programs of a run.
const SERVER: &str = "server";

/// When the server and this bench were built.
fn programs(bench: &str) -> BTreeMap<String, String> {
    let built = |file: PathBuf| {
        let written = fs::metadata(file).and_then(|file| file.modified()).expect("the file of a program");
        millis(written).to_string()
    };
    let here = std::env::current_exe().expect("the file of this program");
    let all = [(SERVER, env!("CARGO_BIN_EXE_jwt-vs-session").into()), (bench, here)];
    all.map(|(name, file)| (name.to_owned(), built(file))).into()
}

/// Describes this run of a bench, by its name.
pub fn describe(bench: &str, stage: &Stage, beginning: &Beginning) -> BenchRun {
    let source = Source { load: beginning.load, ..Source::here(Method::Criterion, &stores(stage)) };
    let (begun, programs) = (beginning.at, programs(bench));
    let strategies = stage.counts.borrow().values().cloned().collect();
    BenchRun { source, begun, programs, strategies, pairs: Vec::new(), loads: Vec::new() }
}

/// Writes the run beside criterion's files. If the same programs measured on the same machine before, what they measured
/// and this run did not stays, and the run began with them.
pub fn write(mut run: BenchRun) {
    if let Some(old) = BenchRun::read(&criterion_folder()).ok().filter(|old| is_same_run(old, &run)) {
        run.begun = old.begun;
        // The load before the benches added to it.
        run.source.load = old.source.load;
        run.programs.extend(old.programs);
        extend(&mut run.strategies, old.strategies, |row: &StrategyCounts| row.strategy.clone());
        extend(&mut run.pairs, old.pairs, |pair: &PairedRatio| (pair.id.clone(), pair.against.clone()));
        extend(&mut run.loads, old.loads, |load: &LoadFigures| load.id.clone());
    }
    let text = serde_json::to_string_pretty(&run).expect("JSON");
    let folder = criterion_folder();
    let file = folder.join(BenchRun::FILE);
    fs::create_dir_all(folder).and_then(|()| fs::write(file, text)).expect("the file is written");
}

/// A bench that did not run yet joins the run; a program that was built again begins another one.
fn is_same_run(old: &BenchRun, new: &BenchRun) -> bool {
    let is_same_build = |(name, built): (&String, &String)| old.programs.get(name).is_none_or(|known| known == built);
    (&old.source.machine, &old.source.versions) == (&new.source.machine, &new.source.versions)
        && old.programs.contains_key(SERVER)
        && new.programs.iter().all(is_same_build)
}

/// Adds the old rows whose key no new row has.
fn extend<T, K: PartialEq>(rows: &mut Vec<T>, mut old: Vec<T>, key: impl Fn(&T) -> K) {
    old.retain(|row| rows.iter().all(|new| key(new) != key(row)));
    rows.append(&mut old);
}

fn stores(stage: &Stage) -> String {
    let pool = stage.node.sql().pool().get_sqlite_connection_pool();
    stage.runtime.block_on(async {
        let info = stage.redis.command(&["INFO", "server"]).await;
        let info: redis::InfoDict = redis::from_redis_value(info).expect("lines");
        let redis: String = info.get("redis_version").expect("a version");
        let sqlite: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(pool).await.expect("a version");
        format!("Redis {redis}, SQLite {sqlite}")
    })
}
