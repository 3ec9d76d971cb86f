//! Where figures were measured, as much as the system tells; and the processor's time.

use std::fs;
use std::time::Duration;

use super::figures::{Method, Source};
use crate::clock::Clock;
use crate::store::{Redis, Sql};

/// How often the processor's clock ticks in a second: Linux fixes it for programs (`USER_HZ`).
const TICKS: u64 = 100;

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

/// Of the machine, however few of them this process may use.
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

/// Of the last minute.
fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// What the processor has done for this process, if the system tells.
pub(super) fn cpu_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some(Duration::from_millis((user + system) * 1000 / TICKS))
}
