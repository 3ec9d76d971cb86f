//! The floors: an empty call, a bare `GET`, a bare `SELECT`. No check is faster than the floor of its store.

use std::hint::black_box;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde::Serialize;

use super::samples::{Budget, Percentiles, Samples};
use super::setup::CostSetup;
use crate::labs::lab_error::LabError;
use crate::store::{Floors, StoreError};

const BUDGET: Budget = Budget { most: 1000, time: Duration::from_millis(300) };

#[derive(Clone, Copy, Debug, Serialize)]
pub struct FloorTimes {
    /// A call through a trait object that does nothing, and reading the clock: part of every figure.
    pub empty_call_ns: Percentiles,
    /// A bare `GET` on the same connection. `None`: there is no Redis.
    pub get_ns: Option<Percentiles>,
    /// A bare prepared `SELECT` on the same pool.
    pub select_ns: Percentiles,
}

#[async_trait]
trait BareCall: Send + Sync {
    /// Whether the call returned what it must.
    async fn call(&self) -> Result<bool, StoreError>;
}

struct Empty;

#[async_trait]
impl BareCall for Empty {
    async fn call(&self) -> Result<bool, StoreError> {
        Ok(black_box(true))
    }
}

pub(super) async fn measure(setup: &CostSetup) -> Result<FloorTimes, LabError> {
    let floors = Floors::new(setup.redis.clone(), setup.sql.clone());
    let times = async {
        let empty: &dyn BareCall = black_box(&Empty);
        let empty_call_ns = times(|| empty.call()).await?;
        let get_ns = match floors.insert_record().await {
            Ok(()) => Some(times(|| floors.get()).await?),
            Err(StoreError::Absent { .. }) => None,
            Err(error) => return Err(failed(error)),
        };
        Ok(FloorTimes { empty_call_ns, get_ns, select_ns: times(|| floors.select()).await? })
    };
    let times = times.await;
    floors.delete_record().await;
    times
}

async fn times<F>(call: impl Fn() -> F) -> Result<Percentiles, LabError>
where
    F: Future<Output = Result<bool, StoreError>>,
{
    let (mut samples, first) = (Samples::default(), Instant::now());
    while BUDGET.allows(samples.len(), first) {
        let begun = Instant::now();
        let is_right = call().await.map_err(failed)?;
        samples.add(begun);
        if !is_right {
            return Err(LabError::Floor);
        }
    }
    Ok(samples.percentiles())
}

fn failed(source: StoreError) -> LabError {
    LabError::Failed { strategy: "the floors", source: source.into() }
}
