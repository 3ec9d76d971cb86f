//! All trials of one strategy.

use std::time::Duration;

use super::outcomes::Outcomes;
use super::report::{ByNode, RevocationResult};
use super::trial::{ProbeSchedule, pace, run_trial};
use crate::identity::Subject;
use crate::labs::lab_error::LabError;
use crate::labs::nodes::NodePair;

/// The pace where only expiry ends a login.
const EXPIRY_PACE: Duration = Duration::from_millis(1);

/// The maximum number of trials where only expiry ends a login: each takes the whole life.
const EXPIRY_TRIALS: usize = 5;

/// Runs `trials` trials of one strategy, each with a login of its own, as long as `goes_on`. The result says how many. None
/// is [`LabError::Stopped`].
pub async fn measure(
    pair: &NodePair,
    subject: &Subject,
    trials: usize,
    goes_on: impl Fn() -> bool,
) -> Result<RevocationResult, LabError> {
    let promise = pair.same.describe().promise;
    let (bound_ms, expires) = (promise.bound_ms(), promise.only_expires());
    let trials = if expires { trials.min(EXPIRY_TRIALS) } else { trials };
    let pace = if expires { EXPIRY_PACE } else { pace(pair, subject).await? };
    let schedule = ProbeSchedule::new(pace, promise, Duration::from_millis(bound_ms));
    let (mut same, mut other) = (Outcomes::default(), Outcomes::default());
    let mut done = 0;
    while done < trials && goes_on() {
        let observed = run_trial(pair, subject, schedule).await?;
        same.add(observed.same_node);
        other.add(observed.other_node);
        done += 1;
    }
    if done == 0 {
        return Err(LabError::Stopped);
    }
    Ok(RevocationResult {
        strategy: pair.slug(),
        promise: promise.name(),
        bound_ms,
        trials: done,
        probe_every_us: u64::try_from(pace.as_micros()).unwrap_or(u64::MAX),
        shortened_life_ms: expires.then_some(bound_ms),
        probes_after_response: ByNode { same_node: same.probes, other_node: other.probes },
        accepted_after_response: ByNode { same_node: same.accepted, other_node: other.accepted },
        unavailable: ByNode { same_node: same.unavailable, other_node: other.unavailable },
        skipped: ByNode { same_node: same.skipped, other_node: other.skipped },
        last_accept_after_response_ms: ByNode { same_node: same.staleness(), other_node: other.staleness() },
        refused_from_ms: ByNode { same_node: same.refusals(), other_node: other.refusals() },
        still_accepted: ByNode { same_node: same.still_accepted, other_node: other.still_accepted },
        within_bound: same.within(bound_ms) && other.within(bound_ms),
    })
}
