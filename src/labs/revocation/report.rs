//! What the experiment measured: the report that the command line prints and the frontier draws.

use serde::Serialize;

use crate::labs::figures::Staleness;

#[derive(Clone, Debug, Serialize)]
pub struct RevocationReport {
    pub results: Vec<RevocationResult>,
}

/// One strategy.
#[derive(Clone, Debug, Serialize)]
pub struct RevocationResult {
    pub strategy: &'static str,
    /// `immediate`, `push` or `expiry`.
    pub promise: &'static str,
    /// The longest staleness that the strategy promises, in milliseconds.
    pub bound_ms: u64,
    /// How many logins were revoked.
    pub trials: usize,
    /// Time between two probes of one node, in microseconds.
    pub probe_every_us: u64,
    /// Where only expiry ends a login: the life of a token in this experiment, in milliseconds.
    pub shortened_life_ms: Option<u64>,
    /// Probes that were sent after the revoke was answered.
    pub probes_after_response: ByNode<u64>,
    /// Those of them that were accepted.
    pub accepted_after_response: ByNode<u64>,
    /// Those of them that were neither accepted nor refused.
    pub unavailable: ByNode<u64>,
    /// Probes that were due and not sent, because 256 others were in flight.
    pub skipped: ByNode<u64>,
    /// When the last accepted probe was sent, after the answer to the revoke.
    pub last_accept_after_response_ms: ByNode<StalenessPercentiles>,
    /// When the first probe was sent after which every probe was refused, after the answer to the revoke.
    pub refused_from_ms: ByNode<RefusalPercentiles>,
    /// Trials that ended before a node refused the login: the staleness is longer than measured.
    pub still_accepted: ByNode<u64>,
    /// Whether every staleness is within the bound, and every trial ended with a refusal.
    pub within_bound: bool,
}

impl RevocationResult {
    /// What the frontier draws: the other node's staleness.
    #[allow(clippy::cast_precision_loss)] // milliseconds of a token's life
    pub fn staleness(&self) -> Staleness {
        let StalenessPercentiles { p50, max, .. } = self.last_accept_after_response_ms.other_node;
        let shortened_life = self.shortened_life_ms.map(|life| life as f64);
        let at_least = self.still_accepted.other_node > 0;
        Staleness { p50, worst: max, bound: self.bound_ms as f64, shortened_life, at_least }
    }
}

/// A figure for each node.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ByNode<T> {
    /// The node that revoked.
    pub same_node: T,
    pub other_node: T,
}

/// Milliseconds over all trials. Zero: no probe was accepted.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct StalenessPercentiles {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

/// Milliseconds over all trials. A trial without a refusal sorts after all others, as `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct RefusalPercentiles {
    pub p50: Option<f64>,
    pub p99: Option<f64>,
    pub max: Option<f64>,
}
