//! Puts everything on one core, or a server on a core of its own.
//!
//! A call to a store goes to another process and back. On two cores, most of its time is the wait until a sleeping core
//! wakes up: tens of microseconds or none, by chance. On one core it is the work of both processes and two switches
//! between them, and it repeats.

use std::fs;
use std::process::Command;

/// Puts this process and its children on the last core that it may use. Call it before any thread starts.
pub fn pin() {
    let Some((_, core)) = first_and_last() else { return say("this system does not list its cores") };
    let pid = std::process::id().to_string();
    let pinned = Command::new("taskset").args(["--pid", "--cpu-list", &core, &pid]).output();
    if !pinned.is_ok_and(|output| output.status.success()) {
        say("taskset (util-linux) does not run");
    }
}

/// Does the same, and returns the first core, for the server that is measured. `None` if there is only one core.
pub fn pin_apart_from_server() -> Option<String> {
    let cores = first_and_last();
    pin();
    cores.filter(|(first, last)| first != last).map(|(first, _)| first)
}

/// The ends of a list such as `0-3` or `0,2`.
fn first_and_last() -> Option<(String, String)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?.trim();
    let last = list.rsplit([',', '-']).next()?;
    Some((list.split([',', '-']).next()?.to_owned(), last.to_owned()))
}

fn say(why: &str) {
    eprintln!("not on one core ({why}): figures that include a store will not repeat well");
}
