//! Where figures are measured: the machine, the versions, the load; and the processor time of this process.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::figures::{Method, Source};
use crate::clock::Clock;
use crate::store::{Redis, Sql};

/// This machine, now, with these stores.
pub(super) async fn source(redis: &Redis, sql: &Sql) -> Source {
    let (redis, sql) = tokio::join!(redis.version(), sql.version());
    let stores: Vec<_> = [redis, sql].into_iter().flatten().collect();
    Source::here(Method::Indicative, &stores.join(", "))
}

impl Source {
    /// This machine, now. `stores` are the versions of Redis and of the database.
    pub fn here(method: Method, stores: &str) -> Self {
        let build = if cfg!(debug_assertions) { "a debug build" } else { "a release build" };
        let compiler = env!("COMPILER").split(" (").next().unwrap_or_default();
        let mut versions = format!("{build} by {compiler}");
        if !stores.is_empty() {
            versions = format!("{versions}, {stores}");
        }
        let date = Clock::system().now().to_date_time().date().to_string();
        Self { method, machine: machine(), date, versions, load: load() }
    }
}

fn machine() -> String {
    let cores = cores();
    let noun = if cores == 1 { "core" } else { "cores" };
    format!("{}, {cores} {noun}, {}", processor(), system())
}

/// The machine's cores; this process may be limited to fewer.
fn cores() -> usize {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let listed = text.lines().filter(|line| line.starts_with("processor")).count();
    if listed > 0 { listed } else { std::thread::available_parallelism().map_or(1, usize::from) }
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), ToOwned::to_owned)
}

fn system() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", std::env::consts::OS, release.trim()).trim().to_owned()
}

/// The load average of the last minute.
fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// The processor time of this process, user and system, since its start.
pub(super) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
