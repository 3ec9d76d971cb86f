//! The whole experiment: the floors, then one strategy after the other.

use std::time::{Duration, Instant};

use super::floors;
use super::report::{CostReport, NotMeasured, NotMeasuredReason};
use super::setup::{Candidate, Conditions, CostSetup};
use super::strategy::{NoResult, measure};
use crate::labs::lab_error::LabError;
use crate::labs::machine;

/// The longest time of a run. It leaves out the strategies after that.
const COST_RUN_LIMIT: Duration = Duration::from_mins(2);

/// What happens in a run.
#[derive(Clone, Debug)]
pub enum CostEvent {
    /// It measures the floors.
    Floors,
    /// It measures this strategy.
    Strategy {
        /// The first is 1.
        number: usize,
        of: usize,
        slug: &'static str,
    },
    /// It has measured this strategy: the median time of a check, in nanoseconds, and the calls to a store for each.
    Measured { slug: &'static str, check_ns: f64, store_calls: f64 },
    /// It failed, for the reason in this sentence.
    Failed(String),
    /// Its report is complete.
    Done,
}

/// Measures every candidate. Ends early when `stop` is ready: the report then has what was measured until then, and nothing
/// measured is [`LabError::Stopped`]. In any case it revokes the logins that it opened.
pub async fn run(
    setup: &CostSetup,
    conditions: Conditions,
    stop: impl Future<Output = ()>,
    mut on_event: impl FnMut(CostEvent),
) -> Result<CostReport, LabError> {
    let begun = Instant::now();
    tokio::pin!(stop);
    on_event(CostEvent::Floors);
    let source = machine::source(&setup.redis, &setup.sql).await;
    let floors = floors::measure(setup).await?;
    let mut report = CostReport::new(conditions, source, floors);
    let of = setup.candidates.len();
    for (number, candidate) in (1..).zip(&setup.candidates) {
        on_event(CostEvent::Strategy { number, of, slug: candidate.slug() });
        let left = COST_RUN_LIMIT.saturating_sub(begun.elapsed());
        match measure(setup, candidate, &conditions, left, stop.as_mut()).await {
            Ok(measured) => {
                let (slug, check_ns) = (measured.strategy, measured.identify_ns.p50);
                on_event(CostEvent::Measured { slug, check_ns, store_calls: measured.store_calls });
                report.results.push(measured);
            }
            Err(NoResult::Failed(LabError::Stopped)) if !report.results.is_empty() => {
                let missing = setup.candidates[report.results.len() + report.not_measured.len()..].iter();
                let stopped = |one: &Candidate| NotMeasured { strategy: one.slug(), why: NotMeasuredReason::Stopped };
                report.not_measured.extend(missing.map(stopped));
                return Ok(report);
            }
            Err(NoResult::NotMeasured(why)) => {
                report.not_measured.push(NotMeasured { strategy: candidate.slug(), why });
            }
            Err(NoResult::Failed(error)) => return Err(error),
        }
    }
    Ok(report)
}
