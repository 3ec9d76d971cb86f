//! Everything on one core.
//!
//! A question to a store goes to another process and back. On two cores that wake each other, most of the time is how
//! long a sleeping core takes to wake: tens of microseconds or none, by chance, and by what else runs. On one core it is
//! the work of both sides and two switches between them, and it repeats.

use std::fs;
use std::process::Command;

/// Puts this process, and whatever it starts, on the last core that it may use. Before any thread is started.
pub fn pin() {
    let Some(core) = last() else { return say("this system does not tell its cores") };
    let pid = std::process::id().to_string();
    let pinned = Command::new("taskset").args(["--pid", "--cpu-list", &core, &pid]).output();
    if !pinned.is_ok_and(|output| output.status.success()) {
        say("taskset (util-linux) does not run");
    }
}

/// The end of a list as in `0-3` or `0,2`.
fn last() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    list.trim().rsplit([',', '-']).next().map(ToOwned::to_owned)
}

fn say(why: &str) {
    eprintln!("not on one core ({why}): what waits for a store will not repeat well");
}
