//! Where figures were measured, and the processor's time.

use std::time::Duration;

use super::figures::{Method, Source};
use crate::clock::Clock;
use crate::store::{Redis, Sql};

/// How often the processor's clock ticks in a second: Linux fixes it for programs (`USER_HZ`).
const TICKS: u64 = 100;

/// This machine, now.
pub(super) async fn source(redis: &Redis, sql: &Sql) -> Source {
    let (redis, sql) = tokio::join!(redis.version(), sql.version());
    let build = if cfg!(debug_assertions) { "a debug build" } else { "a release build" };
    let compiler = env!("COMPILER").split(" (").next().unwrap_or_default();
    let stores = [redis, sql].into_iter().flatten();
    let versions = [format!("{build} by {compiler}")].into_iter().chain(stores).collect::<Vec<_>>().join(", ");
    let date = Clock::system().now().to_date_time().date().to_string();
    Source { method: Method::Indicative, machine: machine(), date, versions, load: load() }
}

fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| Some(line.strip_prefix("model name")?.split_once(": ")?.1.to_owned()));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = name.unwrap_or_else(|| format!("a processor ({})", std::env::consts::ARCH));
    format!("{processor}, {cores} core{}, {}", if cores == 1 { "" } else { "s" }, std::env::consts::OS)
}

/// Of the last minute.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// What the processor has done for this process, if the system tells.
pub(super) fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some(Duration::from_millis((user + system) * 1000 / TICKS))
}
