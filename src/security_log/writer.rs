//! Writes lines to standard error from a thread of its own.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Lines that may wait for a slow reader of standard error: about 1 MB.
const WAITING: usize = 4096;

/// How often the thread looks for what to write besides the lines.
const TICK: Duration = Duration::from_secs(1);

/// The longest that the end of the process waits for lines.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// Hands lines to the thread.
pub(super) struct LogWriter {
    queue: SyncSender<Message>,
    terminal: bool,
}

enum Message {
    Line(String),
    /// The lines before it were written once this is dropped.
    Flush(SyncSender<()>),
}

impl LogWriter {
    /// Starts the thread. It calls `tick` once a second.
    pub fn to_stderr(tick: impl Fn() + Send + 'static) -> Self {
        let (queue, messages) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("security log".to_owned());
        if let Err(error) = thread.spawn(move || run(&messages, tick)) {
            tracing::error!(%error, "the security log could not start");
        }
        Self { queue, terminal: std::io::stderr().is_terminal() }
    }

    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Hands a line to the thread. False if too many wait: standard error is stuck.
    pub fn write(&self, line: String) -> bool {
        self.queue.try_send(Message::Line(line)).is_ok()
    }

    /// Waits until the thread has written the lines so far.
    pub fn flush(&self) {
        let (done, written) = sync_channel(0);
        if self.queue.try_send(Message::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH_LIMIT);
        }
    }
}

fn run(messages: &Receiver<Message>, tick: impl Fn()) {
    let mut next_tick = Instant::now() + TICK;
    loop {
        match messages.recv_timeout(next_tick.saturating_duration_since(Instant::now())) {
            // One write for a whole line, so that lines of the ordinary log do not mix with it. A closed standard error
            // is nobody's fault here, and the next line may find it open again.
            Ok(Message::Line(line)) => drop(std::io::stderr().write_all(line.as_bytes())),
            Ok(Message::Flush(done)) => drop(done),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if Instant::now() >= next_tick {
            tick();
            next_tick = Instant::now() + TICK;
        }
    }
}
