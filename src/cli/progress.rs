//! What people at a terminal see while an experiment runs. Files and pipes get nothing of it.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};

/// Shows what is being measured, in place of what was shown before.
pub(super) fn now(words: &str) {
    let mut terminal = stderr();
    if terminal.is_terminal() {
        let dots = if words.is_empty() { "" } else { " …" };
        let _ = write!(terminal, "\r\x1b[K{words}{dots}");
    }
}

/// Shows what was measured, on a line that stays.
pub(super) fn measured(words: &str) {
    let mut terminal = stderr();
    if terminal.is_terminal() {
        let _ = writeln!(terminal, "\r\x1b[K{words}");
    }
}

/// The columns of standard output. `None`: it is no terminal.
pub(super) fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
