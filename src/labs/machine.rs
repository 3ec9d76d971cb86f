//! Where figures were measured: as much as the system tells.

use std::fs;

use super::figures::{Method, Source};
use crate::clock::Clock;

impl Source {
    /// This machine, now. `stores` are the versions of Redis and of the database.
    pub fn here(method: Method, stores: &str) -> Self {
        let mut versions = env!("COMPILER").to_owned();
        if !stores.is_empty() {
            versions = format!("{versions}, {stores}");
        }
        let date = Clock::system().now().to_date_time().date().to_string();
        Self { method, machine: machine(), date, versions, load: load() }
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let noun = if cores == 1 { "core" } else { "cores" };
    format!("{}, {cores} {noun}, {}", processor(), system())
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

fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}
