//! The timed loops. They run where a server's requests run: in tasks on the workers of the runtime.

use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{Bencher, BenchmarkGroup, BenchmarkId};
use tokio::runtime::Runtime;
use tokio::task::{JoinError, JoinSet};

/// Something to ask again and again, each time for another login.
pub trait Question: Clone + Send + Sync + 'static {
    /// How many different ones there are.
    fn places(&self) -> usize;

    /// Asks for one of them. Panics unless the answer is the right one.
    fn ask(&self, place: usize) -> impl Future<Output = ()> + Send;
}

/// The id of a bench without a parameter.
pub fn plain(name: &str) -> BenchmarkId {
    BenchmarkId::from_parameter(name)
}

/// A bench of one question at a time. What it needs is made when it is its turn, so that a filter skips that, too.
pub fn bench<'a, Q: Question>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    runtime: impl Fn() -> &'a Runtime,
    make: impl Fn() -> Q,
) {
    let (question, place) = (OnceCell::new(), Cell::new(0));
    group.bench_function(id, |bencher| one_by_one(bencher, runtime(), &place, question.get_or_init(&make)));
}

/// The same with many in flight: `session/64` is 64 of `session` at once.
pub fn bench_in_flight<'a, Q: Question>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    runtime: impl Fn() -> &'a Runtime,
    make: impl Fn() -> Q,
) {
    let (question, place) = (OnceCell::new(), Cell::new(0));
    for tasks in [8, 64, 512] {
        group.bench_function(BenchmarkId::new(name, tasks), |bencher| {
            in_flight(bencher, runtime(), &place, question.get_or_init(&make), tasks);
        });
    }
}

/// Asks for one after another; the next sample goes on where this one ended.
fn one_by_one(bencher: &mut Bencher<'_>, runtime: &Runtime, place: &Cell<usize>, question: &impl Question) {
    bencher.iter_custom(|times| {
        let from = advance(place, times, question.places());
        spawned(runtime, repeat(question.clone(), from, times))
    });
}

/// Asks with so many questions in flight at any time. The time for each is what comes out: all together, shared.
fn in_flight(bencher: &mut Bencher<'_>, runtime: &Runtime, place: &Cell<usize>, question: &impl Question, tasks: u64) {
    bencher.iter_custom(|times| {
        let from = advance(place, times, question.places());
        spawned(runtime, all_at_once(question.clone(), from, times, tasks))
    });
}

/// Runs it as a task, and waits.
pub fn spawned<T: Send + 'static>(runtime: &Runtime, task: impl Future<Output = T> + Send + 'static) -> T {
    finished(runtime.block_on(async { tokio::spawn(task).await }))
}

/// A panic in a task is a failed check: the bench stops.
pub fn finished<T>(outcome: Result<T, JoinError>) -> T {
    outcome.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn advance(place: &Cell<usize>, times: u64, places: usize) -> usize {
    let from = place.get();
    let times = usize::try_from(times).expect("64 bits");
    place.set((from + times) % places);
    from
}

/// After so many answers that nothing was waited for, the channels from Redis get their turn, as they would in a server.
const TURN: u64 = 1_024;

/// How long it takes to ask so many times.
pub async fn repeat(question: impl Question, from: usize, times: u64) -> Duration {
    let places = question.places();
    let mut place = from % places;
    let begun = Instant::now();
    for time in 1..=times {
        question.ask(place).await;
        if time % TURN == 0 {
            tokio::task::yield_now().await;
        }
        place += 1;
        if place == places {
            place = 0;
        }
    }
    begun.elapsed()
}

async fn all_at_once(question: impl Question, from: usize, times: u64, tasks: u64) -> Duration {
    let mut running = JoinSet::new();
    let step = question.places() / usize::try_from(tasks).expect("64 bits");
    let begun = Instant::now();
    let mut start = from;
    for task in 0..tasks {
        let share = times / tasks + u64::from(task < times % tasks);
        running.spawn(repeat(question.clone(), start, share));
        start += step;
    }
    while let Some(one) = running.join_next().await {
        finished(one);
    }
    begun.elapsed()
}
