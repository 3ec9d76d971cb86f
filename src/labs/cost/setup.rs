//! What the experiment works on: the strategies, the stores, and the conditions of a run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::auth::AuthStrategy;
use crate::clock::Clock;
use crate::identity::Subject;
use crate::labs::nodes::NodePair;
use crate::store::users::Users;
use crate::store::{Redis, Sql};

/// The longest added delay.
pub const LONGEST_DELAY: Duration = Duration::from_millis(5);

/// The maximum number of stored logins.
pub const MOST_LOGINS: usize = 10_000;

/// The longest user name in the claims, in bytes.
pub const MOST_CLAIMS: usize = 8192;

/// What browsers keep of a cookie, its name and its value together, in bytes (RFC 6265, 6.1).
pub const COOKIE_LIMIT: usize = 4096;

/// The conditions of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Conditions {
    /// Added to every call to Redis and to the SQL database, as over a network.
    #[serde(rename = "delay_ms", serialize_with = "as_millis")]
    pub delay: Duration,
    /// How many logins are stored, under strategies that store any.
    pub logins: usize,
    /// The share of the checks of a login that this node checked before, in percent.
    pub hit_rate: u8,
    /// The length of the user's name in the claims of every token, in bytes; 0 leaves it as it is.
    pub claim_bytes: usize,
}

impl Default for Conditions {
    fn default() -> Self {
        Self { delay: Duration::ZERO, logins: 1000, hit_rate: 100, claim_bytes: 0 }
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stored login{}", self.logins, if self.logins == 1 { "" } else { "s" })?;
        if self.delay.is_zero() {
            write!(f, ", no added delay")?;
        } else {
            write!(f, ", {} added to every call to a store", humantime::format_duration(self.delay))?;
        }
        write!(f, ", a local hit rate of {} %", self.hit_rate)?;
        if self.claim_bytes > 0 {
            write!(f, ", a user name of {} bytes", self.claim_bytes)?;
        }
        Ok(())
    }
}

fn as_millis<S: Serializer>(delay: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(delay.as_secs_f64() * 1e3)
}

/// A strategy to measure.
pub struct Candidate {
    /// Opens and revokes logins without the delay.
    pub direct: Arc<dyn AuthStrategy>,
    /// What is measured: the same stores, behind the delay.
    pub delayed: Arc<dyn AuthStrategy>,
    /// Two nodes, for the staleness.
    pub pair: NodePair,
}

impl Candidate {
    pub(super) fn slug(&self) -> &'static str {
        self.delayed.describe().slug
    }
}

pub struct CostSetup {
    pub candidates: Vec<Candidate>,
    /// Where the experiment's users live during a run.
    pub users: Users,
    /// The database, behind the delay.
    pub sql: Sql,
    /// Redis, behind the delay.
    pub redis: Redis,
    /// Whose logins are revoked for the staleness.
    pub subject: Subject,
    pub clock: Clock,
}
