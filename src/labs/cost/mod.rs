//! What does it cost to know who asks? Each strategy is measured as the server calls it, with many different logins in
//! no order, and every answer is checked: a measurement of failures would be a fast one.
//!
//! It takes seconds and says the order of magnitude. The benches in `benches/` take minutes and say more.

mod floors;
mod measure;
mod population;
mod probe_plan;
mod report;
mod runs;
mod samples;
mod stored_bytes;
mod timing;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

pub use self::floors::FloorTimes;
pub use self::measure::{CostResult, TRIALS};
pub use self::report::{CostReport, DEBUG_WARNING, NotMeasured};
pub use self::runs::{CostEvent, CostRun, CostRuns, OpenCost, StartCostError};
pub use self::samples::Percentiles;
use super::machine;
use super::nodes::NodePair;
use super::revocation::LabError;
use crate::auth::AuthStrategy;
use crate::clock::Clock;
use crate::identity::Subject;
use crate::store::users::Users;
use crate::store::{Redis, Sql};

/// The longest added delay.
pub const LONGEST_DELAY: Duration = Duration::from_millis(5);

/// The most logins that are stored.
pub const MOST_LOGINS: usize = 10_000;

/// The longest user name that is put into the claims, in bytes.
pub const MOST_CLAIMS: usize = 8192;

/// What browsers keep of a cookie: its name and its value together (RFC 6265, 6.1).
pub const COOKIE_LIMIT: usize = 4096;

/// A run is over by then, whatever is missing.
pub const LONGEST: Duration = Duration::from_mins(2);

/// Under which conditions the cost is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Conditions {
    /// What every call to Redis and to the SQL database waits, as over a network.
    #[serde(rename = "delay_ms", serialize_with = "as_millis")]
    pub delay: Duration,
    /// How many logins are stored, under strategies that store any.
    pub logins: usize,
    /// Of a hundred requests so many are of a login that this node was asked for before.
    pub hit_rate: u8,
    /// How long the user's name is made, which is in the claims of every token. In bytes; 0 leaves it as it is.
    pub claim_bytes: usize,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { delay: Duration::ZERO, logins: 1000, hit_rate: 100, claim_bytes: 0 }
    }
}

fn as_millis<S: Serializer>(delay: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(delay.as_secs_f64() * 1e3)
}

/// A strategy as the experiment knows it.
pub struct Candidate {
    /// Opens and ends logins without the delay.
    pub direct: Arc<dyn AuthStrategy>,
    /// What is measured: the same stores, behind the delay.
    pub delayed: Arc<dyn AuthStrategy>,
    /// Two nodes, for the staleness.
    pub pair: NodePair,
}

impl Candidate {
    fn slug(&self) -> &'static str {
        self.delayed.describe().slug
    }
}

/// What the experiment works on.
pub struct CostSetup {
    /// The strategies to measure.
    pub candidates: Vec<Candidate>,
    /// Where the experiment's users live for its time.
    pub users: Users,
    /// The database, behind the delay.
    pub sql: Sql,
    /// Redis, behind the delay.
    pub redis: Redis,
    /// Whose logins are revoked for the staleness.
    pub subject: Subject,
    /// The strategies' time.
    pub clock: Clock,
}

/// Measures every candidate, one after the other. Ends early when `stop` does; whatever happens, the logins that were
/// opened are ended.
pub async fn run(
    bench: &CostSetup,
    conditions: Conditions,
    stop: impl Future<Output = ()>,
    mut tell: impl FnMut(CostEvent),
) -> Result<CostReport, LabError> {
    let begun = Instant::now();
    tokio::pin!(stop);
    tell(CostEvent::Floors);
    let source = machine::source(&bench.redis, &bench.sql).await;
    let floors = floors::measure(bench).await?;
    let mut report = CostReport::new(conditions, source, floors);
    let of = bench.candidates.len();
    for (number, candidate) in (1..).zip(&bench.candidates) {
        tell(CostEvent::Strategy { number, of, slug: candidate.slug() });
        let left = LONGEST.saturating_sub(begun.elapsed());
        match measure::measure(bench, candidate, &conditions, left, stop.as_mut()).await? {
            Ok(measured) => report.results.push(measured),
            Err(why) => report.not_measured.push(NotMeasured { strategy: candidate.slug(), why }),
        }
    }
    Ok(report)
}
