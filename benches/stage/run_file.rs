//! Writes the facts of a run that are not times, beside criterion's files.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_vs_session::labs::figures::{Method, Source};
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

/// The time when this build of the bench was written.
fn program() -> String {
    let file = std::env::current_exe().and_then(fs::metadata).and_then(|file| file.modified());
    millis(file.expect("the file of this program")).to_string()
}

/// Describes this run.
pub fn describe(stage: &Stage, beginning: &Beginning) -> BenchRun {
    let source = Source { load: beginning.load, ..Source::here(Method::Criterion, &stores(stage)) };
    let strategies = stage.counts.borrow().values().cloned().collect();
    BenchRun { source, begun: beginning.at, program: program(), strategies, pairs: Vec::new() }
}

/// Writes the run beside criterion's files. If the same program measured other strategies on the same machine before,
/// their counts and ratios stay, and the run began with them.
pub fn write(mut run: BenchRun) {
    let same = |old: &BenchRun| {
        (&old.source.machine, &old.source.versions, &old.program)
            == (&run.source.machine, &run.source.versions, &run.program)
    };
    if let Some(old) = BenchRun::read(&criterion_folder()).ok().filter(same) {
        run.begun = old.begun;
        let known = |row: &StrategyCounts| run.strategies.iter().any(|new| new.strategy == row.strategy);
        let others: Vec<_> = old.strategies.into_iter().filter(|row| !known(row)).collect();
        run.strategies.extend(others);
        let known =
            |pair: &PairedRatio| run.pairs.iter().any(|new| (&new.id, &new.against) == (&pair.id, &pair.against));
        let others: Vec<_> = old.pairs.into_iter().filter(|pair| !known(pair)).collect();
        run.pairs.extend(others);
    }
    let text = serde_json::to_string_pretty(&run).expect("JSON");
    let folder = criterion_folder();
    let file = folder.join(BenchRun::FILE);
    fs::create_dir_all(folder).and_then(|()| fs::write(file, text)).expect("the file is written");
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
