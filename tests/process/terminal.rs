//! The experiments in a terminal: tables that fit it, what was measured so far, and Ctrl-C.

use std::fs::{File, OpenOptions};
use std::io::Read as _;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::program::{command, run};
use crate::common::{LONG_PATIENCE, folder, until_within};

/// Starts a command in a terminal with this many columns. Its text goes to a file in the folder as it comes.
fn start(folder: &std::path::Path, columns: u16, options: &[&str]) -> (Child, JoinHandle<()>) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).expect("a terminal");
    unlockpt(&terminal).expect("a terminal");
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).expect("a size");
    let name = ptsname(&terminal, Vec::new()).expect("a name").into_string().expect("a path");
    let side = || OpenOptions::new().read(true).write(true).open(&name).expect("its other side");
    let child = command(folder, options).stdout(side()).stderr(side()).spawn().expect("it starts");
    let (mut from, mut to) = (File::from(terminal), File::create(folder.join("screen")).expect("a file"));
    let reader = tokio::task::spawn_blocking(move || {
        let mut some = [0; 4096];
        // At the end the system answers with an error.
        while let Ok(count @ 1..) = from.read(&mut some) {
            std::io::Write::write_all(&mut to, &some[..count]).expect("a file");
        }
    });
    (child, reader)
}

fn screen(folder: &std::path::Path) -> String {
    std::fs::read_to_string(folder.join("screen")).unwrap_or_default().replace('\r', "")
}

const COST: [&str; 8] =
    ["lab", "cost", "--redis-url", "none", "--logins", "10", "--strategies", "jwt,session-memory,session-sql"];
const REVOCATION: [&str; 8] =
    ["lab", "revocation", "--redis-url", "none", "--trials", "2", "--strategies", "session-sql,session-memory"];

#[tokio::test]
async fn tables_fit_a_terminal_and_the_figures_so_far_stand_above_them() {
    for (options, so_far) in [(&COST[..], "jwt: a check "), (&REVOCATION[..], "session-sql: staleness 0.000 ms")] {
        let mut rows = Vec::new();
        for columns in [80, 160] {
            let folder = folder();
            let (mut child, reader) = start(folder.path(), columns, options);
            let ended = timeout(LONG_PATIENCE, child.wait()).await.expect("it ends in time").expect("it runs");
            reader.await.expect("the screen");
            let text = screen(folder.path());
            assert!(ended.success() && text.contains(so_far), "{text}");
            let table = &text[text.rfind("\x1b[K").expect("progress")..];
            let widest = table.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(usize::from(columns)), "{widest:?} columns:\n{table}");
            rows.push(table.lines().filter(|line| line.starts_with("session-memory ")).count());
        }
        assert!(rows[0] == 2 * rows[1], "two blocks, and one where there is room: {rows:?}");
    }
    let piped = run(command(folder().path(), &COST)).await;
    assert!(piped.stderr.is_empty(), "{}", String::from_utf8_lossy(&piped.stderr));
    let text = String::from_utf8_lossy(&piped.stdout).into_owned();
    assert_eq!(text.lines().filter(|line| line.starts_with("session-memory ")).count(), 1, "{text}");
}

#[tokio::test]
async fn ctrl_c_prints_what_was_measured_and_says_that_it_stopped() {
    let slow = ["lab", "revocation", "--redis-url", "none", "--trials", "100000", "--strategies", "jwt,session-sql"];
    for (options, so_far) in [(&slow[..], "2 of 2: session-sql"), (&COST[..], "2 of 3: session-memory")] {
        let folder = folder();
        let (mut child, reader) = start(folder.path(), 80, options);
        until_within(LONG_PATIENCE, "the first strategy is measured", async || screen(folder.path()).contains(so_far))
            .await;
        let pid = i32::try_from(child.id().expect("it runs")).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, Signal::INT).expect("a signal");
        let ended = timeout(LONG_PATIENCE, child.wait()).await.expect("it ends in time").expect("it runs");
        reader.await.expect("the screen");
        let text = screen(folder.path());
        assert_eq!(ended.code(), Some(1), "{text}");
        assert!(text.lines().any(|line| line.starts_with("jwt   ")), "the table has the first:\n{text}");
        assert!(text.contains("error: stopped: the report has "), "{text}");
    }
}
