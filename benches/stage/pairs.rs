//! Benches that run alternately with their floors: the targets bound their ratios.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Stage;
use super::run::PairedRatio;
use super::timing::{IN_FLIGHT, Probe, bench_paired, plain};
use criterion::{BenchmarkId, Criterion, Throughput};

/// One bench of a pair. `stage` and `make` run only if no filter skips the bench.
#[derive(Clone, Copy)]
pub struct Side<'a, S, M> {
    /// Such as `lookup/jwt`.
    pub id: &'a str,
    pub stage: S,
    pub make: M,
}

impl<'a, S, M> Side<'a, S, M> {
    pub fn new(id: &'a str, stage: S, make: M) -> Self {
        Self { id, stage, make }
    }
}

/// Nanoseconds of each probe, and of each floor.
type Round = (f64, f64);

/// Every round of a run, by the ids of the bench and its floor.
#[derive(Default)]
pub struct Pairs(RefCell<BTreeMap<(String, String), Vec<Round>>>);

impl Pairs {
    /// Benches one probe at a time.
    pub fn one<'a, Q: Probe, F: Probe>(
        &self,
        criterion: &mut Criterion,
        side: &Side<'_, impl Fn() -> &'a Stage, impl Fn() -> Q>,
        floor: &Side<'_, impl Fn() -> &'a Stage, impl Fn() -> F>,
    ) {
        self.bench(criterion, side, floor, 1);
    }

    /// Benches one probe at a time, and then several in flight, each time with as many of the floor.
    pub fn many<'a, Q: Probe, F: Probe>(
        &self,
        criterion: &mut Criterion,
        side: &Side<'_, impl Fn() -> &'a Stage, impl Fn() -> Q>,
        floor: &Side<'_, impl Fn() -> &'a Stage, impl Fn() -> F>,
    ) {
        self.bench(criterion, side, floor, 1);
        for tasks in IN_FLIGHT {
            let (id, against) = (format!("{}/{tasks}", side.id), format!("{}/{tasks}", floor.id));
            let side = Side { id: &id, stage: &side.stage, make: &side.make };
            self.bench(criterion, &side, &Side { id: &against, stage: &floor.stage, make: &floor.make }, tasks);
        }
    }

    fn bench<'a, Q: Probe, F: Probe>(
        &self,
        criterion: &mut Criterion,
        side: &Side<'_, impl Fn() -> &'a Stage, impl Fn() -> Q>,
        floor: &Side<'_, impl Fn() -> &'a Stage, impl Fn() -> F>,
        tasks: u64,
    ) {
        let (group, name) = side.id.split_once('/').expect("a group and a name");
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Elements(1));
        let name = match name.split_once('/') {
            Some((name, parameter)) => BenchmarkId::new(name, parameter),
            None => plain(name),
        };
        let make = || (&(side.stage)().runtime, (side.make)());
        let make_floor = || (&(floor.stage)().runtime, (floor.make)());
        bench_paired(&mut group, name, (make, make_floor), tasks, |round| {
            let key = (side.id.to_owned(), floor.id.to_owned());
            self.0.borrow_mut().entry(key).or_default().push(round);
        });
    }

    pub fn ratios(&self) -> Vec<PairedRatio> {
        self.0.borrow().iter().filter_map(|((id, against), rounds)| PairedRatio::of(id, against, rounds)).collect()
    }
}
