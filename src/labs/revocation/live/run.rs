//! One run: its logins, what happened to them, and whether they are revoked.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;

use crate::auth::Description;
use crate::clock::whole_millis;
use crate::labs::event_log::EventLog;
use crate::labs::revocation::observation::Observation;
use crate::labs::revocation::report::ByNode;
use crate::labs::runs::Run;

/// Life of a login in this experiment where only expiry ends it.
pub const LIVE_LOGIN_LIFE: Duration = Duration::from_secs(8);

/// A run ends by itself after this time.
pub const LIVE_RUN_LIMIT: Duration = Duration::from_mins(1);

/// What happened in a run. Times are milliseconds since its start.
#[derive(Clone, Debug)]
pub enum LiveEvent {
    /// Every login was probed once, on both nodes.
    Tick {
        /// When the probes were sent.
        at_ms: u64,
        /// For each login.
        outcomes: Vec<ByNode<CheckOutcome>>,
    },
    /// A login is in another state.
    Login { number: usize, at_ms: u64, state: LoginState },
}

/// The outcome of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    Accepted,
    Refused,
    /// The node could neither accept nor refuse.
    #[default]
    Unavailable,
}

#[derive(Clone, Copy, Debug, Default)]
pub enum LoginState {
    #[default]
    Opening,
    /// A store does not answer, so no login was opened.
    NotOpened,
    /// With the first outcome on each node.
    Open(ByNode<CheckOutcome>),
    /// The node is about to revoke it. A revoke takes effect before it is answered: a tick with a refusal comes after this
    /// event, and may come before [`Self::Revoked`].
    Revoking,
    /// The revoke was answered.
    Revoked,
    /// The revoke failed, and may or may not have been carried out.
    Unknown,
    /// The measurement is complete.
    Settled {
        /// The outcome on each node before the revoke.
        before: ByNode<CheckOutcome>,
        /// After the answer to the revoke.
        observed: ByNode<Observation>,
    },
}

impl LoginState {
    pub fn is_final(&self) -> bool {
        matches!(self, Self::NotOpened | Self::Unknown | Self::Settled { .. })
    }
}

/// One run of the experiment.
#[derive(Debug)]
pub struct LiveRun {
    id: String,
    begun: Instant,
    logins: Vec<Description>,
    log: EventLog<LiveEvent>,
    revoked: watch::Sender<bool>,
}

impl LiveRun {
    pub(super) fn new(id: String, logins: Vec<Description>) -> Self {
        Self { id, begun: Instant::now(), logins, log: EventLog::default(), revoked: watch::Sender::new(false) }
    }

    /// Nobody can guess it: whoever knows it started the run.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The strategy of each login.
    pub fn logins(&self) -> &[Description] {
        &self.logins
    }

    /// Waits until somebody revokes the logins.
    pub(super) async fn until_revoked(&self) {
        let _ = self.revoked.subscribe().wait_for(|revoked| *revoked).await;
    }

    pub(super) fn is_revoked(&self) -> bool {
        *self.revoked.borrow()
    }

    /// Revokes every login. Later calls change nothing.
    pub fn revoke(&self) {
        self.revoked.send_replace(true);
    }

    /// What happened. Without readers, a run ends soon.
    pub fn log(&self) -> &EventLog<LiveEvent> {
        &self.log
    }

    /// The state of each login.
    pub fn states(&self) -> Vec<LoginState> {
        let mut states = vec![LoginState::default(); self.logins.len()];
        for event in self.log.events().iter() {
            if let LiveEvent::Login { number, state, .. } = event
                && let Some(known) = states.get_mut(*number)
            {
                *known = *state;
            }
        }
        states
    }

    pub(super) fn now_ms(&self) -> u64 {
        whole_millis(self.begun.elapsed())
    }

    pub(super) fn set_state(&self, number: usize, state: LoginState) {
        self.log.push(LiveEvent::Login { number, at_ms: self.now_ms(), state });
    }
}

impl Run for LiveRun {
    fn end(&self) {
        self.log.end();
    }
}
