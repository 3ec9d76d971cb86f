//! Benches that take turns with what they are held against: the ratios that the targets are about.

use std::cell::RefCell;
use std::collections::BTreeMap;

use criterion::{BenchmarkId, Criterion, Throughput};
use jwt_vs_session::labs::criterion::PairedRatio;

use crate::stage::Stage;
use crate::stage::timing::{IN_FLIGHT, Question, bench_in_turns, plain};

/// One of the two: its whole id, as in `lookup/jwt`; the stage that it runs on; its question. Both are made when it is
/// their turn, so that a filter skips them.
#[derive(Clone, Copy)]
pub struct Side<'a, S, M> {
    pub id: &'a str,
    pub stage: S,
    pub make: M,
}

impl<'a, S, M> Side<'a, S, M> {
    pub fn new(id: &'a str, stage: S, make: M) -> Self {
        Self { id, stage, make }
    }
}

/// Nanoseconds for each question: of the one, and of the other.
type Turn = (f64, f64);

/// Every turn of a run, by the ids of the two.
#[derive(Default)]
pub struct Turns(RefCell<BTreeMap<(String, String), Vec<Turn>>>);

impl Turns {
    /// One question at a time, against a floor.
    pub fn one<'a, Q: Question, F: Question>(
        &self,
        criterion: &mut Criterion,
        side: &Side<'_, impl Fn() -> &'a Stage, impl Fn() -> Q>,
        floor: &Side<'_, impl Fn() -> &'a Stage, impl Fn() -> F>,
    ) {
        self.bench(criterion, side, floor, 1);
    }

    /// One at a time, and many at once, each against as many of the floor's.
    pub fn many<'a, Q: Question, F: Question>(
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

    fn bench<'a, Q: Question, F: Question>(
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
        bench_in_turns(&mut group, name, (make, make_floor), tasks, |turn| {
            let key = (side.id.to_owned(), floor.id.to_owned());
            self.0.borrow_mut().entry(key).or_default().push(turn);
        });
    }

    /// What came of them.
    pub fn pairs(&self) -> Vec<PairedRatio> {
        self.0.borrow().iter().filter_map(|((id, against), turns)| PairedRatio::of(id, against, turns)).collect()
    }
}
