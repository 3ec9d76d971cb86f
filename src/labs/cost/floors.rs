//! What nothing can be faster than: an empty call, a bare `GET`, a bare `SELECT`.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::Serialize;

use super::CostSetup;
use super::samples::{Budget, Percentiles, Samples};
use crate::labs::revocation::LabError;
use crate::store::{Floors, StoreError};

const BUDGET: Budget = Budget { most: 1000, time: Duration::from_millis(300) };

/// The floors, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FloorTimes {
    /// A call through a trait object that does nothing, and reading the clock: in every figure.
    pub empty_call_ns: Percentiles,
    /// A bare `GET` on the same connection. `None`: there is no Redis.
    pub get_ns: Option<Percentiles>,
    /// A bare prepared `SELECT` on the same pool.
    pub select_ns: Percentiles,
}

/// One of them.
#[async_trait]
trait Call: Send + Sync {
    /// Whether it did what it is for.
    async fn call(&self) -> Result<bool, StoreError>;
}

struct Empty;
struct Get<'a>(&'a Floors);
struct Select<'a>(&'a Floors);

#[async_trait]
impl Call for Empty {
    async fn call(&self) -> Result<bool, StoreError> {
        Ok(std::hint::black_box(true))
    }
}

#[async_trait]
impl Call for Get<'_> {
    async fn call(&self) -> Result<bool, StoreError> {
        self.0.get().await
    }
}

#[async_trait]
impl Call for Select<'_> {
    async fn call(&self) -> Result<bool, StoreError> {
        self.0.select().await
    }
}

pub(super) async fn measure(bench: &CostSetup) -> Result<FloorTimes, LabError> {
    let floors = Floors::new(bench.redis.clone(), bench.sql.clone());
    let times = async {
        let empty_call_ns = times(&Empty).await?;
        let get_ns = match floors.insert_record().await {
            Ok(()) => Some(times(&Get(&floors)).await?),
            Err(StoreError::Absent { .. }) => None,
            Err(error) => return Err(failed(error)),
        };
        Ok(FloorTimes { empty_call_ns, get_ns, select_ns: times(&Select(&floors)).await? })
    };
    let times = times.await;
    floors.delete_record().await;
    times
}

async fn times(call: &dyn Call) -> Result<Percentiles, LabError> {
    let (mut samples, begun) = (Samples::default(), Instant::now());
    while BUDGET.allows(samples.len(), begun) {
        let asked = Instant::now();
        let good = call.call().await.map_err(failed)?;
        samples.add(asked);
        if !good {
            return Err(LabError::Floor);
        }
    }
    Ok(samples.spread())
}

fn failed(source: StoreError) -> LabError {
    LabError::Failed { strategy: "the floor", source: source.into() }
}
