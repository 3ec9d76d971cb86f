//! The security log: one line on standard error for each event that somebody who investigates an incident needs.
//!
//! Lines are JSON (OWASP ASVS 5.0, 16.2), or for people if standard error is a terminal. `RUST_LOG` does not filter them.
//! No line holds a credential, nor the user name that a failed login typed: people type passwords there.
//! `docs/security-log.md` lists the events. It belongs to the process, as the metrics do: [`start`] begins it, and without
//! it [`record`] only counts.
//!
//! - `event.rs`: the events and their fields.
//! - `line.rs`: the text of a line.
//! - `flood.rs`: how many lines a second, so that nobody fills the disk.
//! - `writer.rs`: the thread that writes, so that no request waits for standard error.

mod event;
mod flood;
mod line;
#[cfg(test)]
mod tests;
mod writer;

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Instant;

use compact_str::CompactString;
use serde::Serialize;

pub use self::event::{LoginRefusal, PasswordChangeRefusal, RevocationCause, RevocationReach, SecurityEvent};
use self::flood::FloodGuard;
use self::line::SecurityLine;
use self::writer::LogWriter;
use crate::clock::Clock;
use crate::identity::{LoginId, UserId};

static LOG: OnceLock<SecurityLog> = OnceLock::new();

/// The log of the process.
struct SecurityLog {
    node: CompactString,
    guard: FloodGuard,
    writer: LogWriter,
}

/// Names one request, in its events, in the ordinary log and in the answer's `X-Request-Id`. Always the server's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u64);

impl RequestId {
    /// Makes a new name from 64 random bits. It is no credential, so a fast generator will do.
    pub fn random() -> Self {
        Self(fastrand::u64(..))
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for RequestId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where an event came from. A line leaves out what is unknown.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EventSource {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The path of the mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount: Option<CompactString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The login's public name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_id: Option<LoginId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_address: Option<IpAddr>,
}

/// Starts to write events to standard error, with this node's name. Further calls change nothing.
pub fn start(node: &str) {
    LOG.get_or_init(|| SecurityLog {
        node: node.into(),
        guard: FloodGuard::default(),
        writer: LogWriter::to_stderr(|| LOG.get().into_iter().for_each(SecurityLog::count_left_out)),
    });
}

/// Records an event. Never waits and never fails.
pub fn record(source: &EventSource, event: &SecurityEvent) {
    metrics::counter!("security_events_total", "event" => event.name()).increment(1);
    if let Some(log) = LOG.get().filter(|log| log.guard.admits(event, Instant::now())) {
        log.write(source, event);
    }
}

/// Writes what is still waiting, before the process ends. Blocks for a second at most.
pub fn flush() {
    if let Some(log) = LOG.get() {
        log.count_left_out();
        log.writer.flush();
    }
}

impl SecurityLog {
    fn write(&self, source: &EventSource, event: &SecurityEvent) {
        let line = SecurityLine { time: Clock::system().now(), event, source, node: &self.node };
        if !self.writer.write(line.text(self.writer.is_terminal())) {
            self.guard.leave_out(event);
        }
    }

    /// Says how many events were left out, if any were.
    fn count_left_out(&self) {
        for event in self.guard.left_out() {
            self.write(&EventSource::default(), &event);
        }
    }
}
