//! Puts everything on one core.
//!
//! A call to a store goes to another process and back. On two cores, most of its time is the wait until a sleeping core
//! wakes up: tens of microseconds or none, by chance. On one core it is the work of both processes and two switches
//! between them, and it repeats.

use std::fs;
use std::process::Command;

/// Puts this process and its children on the last core that it may use. Call it before any thread starts.
pub fn pin() {
    let Some(core) = last() else { return say("this system does not list its cores") };
    let pid = std::process::id().to_string();
    let pinned = Command::new("taskset").args(["--pid", "--cpu-list", &core, &pid]).output();
    if !pinned.is_ok_and(|output| output.status.success()) {
        say("taskset (util-linux) does not run");
    }
}

/// The last core of a list such as `0-3` or `0,2`.
fn last() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    list.trim().rsplit([',', '-']).next().map(ToOwned::to_owned)
}

fn say(why: &str) {
    eprintln!("not on one core ({why}): figures that include a store will not repeat well");
}
