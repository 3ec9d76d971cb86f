//! The revocation experiment as something to watch: logins under many strategies, asked for at a steady pace on both
//! nodes, until somebody revokes them all.
//!
//! The steady pace is for the picture. What is measured comes from the tight schedule of `trial`, around the revoke.

mod login;
mod run_loop;
mod runs;

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;

pub use self::runs::{LiveSetup, OpenBench, Runs, StartRunError};
use super::ByNode;
pub use super::observation::Observation;
use crate::auth::Description;
use crate::labs::event_log::EventLog;

/// Life of a login in this experiment where only expiry ends it.
pub const LIFE: Duration = Duration::from_secs(8);

/// Time between two questions.
pub const PACE: Duration = Duration::from_millis(140);

/// A run ends by itself after this long.
pub const LONGEST: Duration = Duration::from_mins(1);

/// What happened in a run. Times are milliseconds of the run's own clock.
#[derive(Clone, Debug)]
pub enum LiveEvent {
    /// Every lane was asked at once, on both nodes.
    Tick {
        /// When.
        at_ms: u64,
        /// For each lane.
        answers: Vec<ByNode<CheckOutcome>>,
    },
    /// A lane is in another state now.
    Lane {
        /// Which.
        lane: usize,
        /// Since when.
        at_ms: u64,
        /// The new state.
        state: LoginState,
    },
}

/// What a node said about a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// It is good.
    Accepted,
    /// It is not.
    Refused,
    /// Neither yes nor no.
    #[default]
    Unavailable,
}

/// How a lane stands.
#[derive(Clone, Copy, Debug, Default)]
pub enum LoginState {
    /// Nothing happened yet.
    #[default]
    Opening,
    /// No login could be opened: a store does not answer.
    NotOpened,
    /// The login is open; what each node said to it first.
    Open(ByNode<CheckOutcome>),
    /// The revoke was answered. Where only expiry ends the login: when.
    Revoked {
        /// On the run's clock.
        ends_at_ms: Option<u64>,
    },
    /// The revoke failed: nobody knows whether it was carried out.
    Unknown,
    /// It is over, and this was measured.
    Settled {
        /// What each node said before the revoke.
        before: ByNode<CheckOutcome>,
        /// From the answer to the revoke on.
        readings: ByNode<Observation>,
    },
}

impl LoginState {
    /// Whether nothing more will happen.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::NotOpened | Self::Unknown | Self::Settled { .. })
    }
}

/// One run. Keeps what happened, so that whoever listens later, or again, misses nothing.
#[derive(Debug)]
pub struct LiveRun {
    id: String,
    begun: Instant,
    lanes: Vec<Description>,
    log: EventLog<LiveEvent>,
    revoked: watch::Sender<bool>,
}

impl LiveRun {
    fn new(id: String, lanes: Vec<Description>) -> Self {
        Self { id, begun: Instant::now(), lanes, log: EventLog::default(), revoked: watch::Sender::new(false) }
    }

    /// Its name, which nobody can guess.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The strategies, in the order of the lanes.
    pub fn lanes(&self) -> &[Description] {
        &self.lanes
    }

    /// Revokes every login. Once: later calls change nothing.
    pub fn revoke(&self) {
        self.revoked.send_replace(true);
    }

    /// What happened, for whoever watches. Without anybody, a run ends soon.
    pub fn log(&self) -> &EventLog<LiveEvent> {
        &self.log
    }

    /// How every lane stands.
    pub fn states(&self) -> Vec<LoginState> {
        let mut states = vec![LoginState::default(); self.lanes.len()];
        for event in self.log.events().iter() {
            if let LiveEvent::Lane { lane, state, .. } = event
                && let Some(known) = states.get_mut(*lane)
            {
                *known = *state;
            }
        }
        states
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn turn(&self, lane: usize, state: LoginState) {
        self.log.push(LiveEvent::Lane { lane, at_ms: self.now_ms(), state });
    }
}
