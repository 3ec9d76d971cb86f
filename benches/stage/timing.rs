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

/// So many questions at once.
pub const IN_FLIGHT: [u64; 3] = [8, 64, 512];

/// The same with many in flight: `session/64` is 64 of `session` at once.
pub fn bench_in_flight<'a, Q: Question>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    runtime: impl Fn() -> &'a Runtime,
    make: impl Fn() -> Q,
) {
    let (question, place) = (OnceCell::new(), Cell::new(0));
    for tasks in IN_FLIGHT {
        group.bench_function(BenchmarkId::new(name, tasks), |bencher| {
            in_flight(bencher, runtime(), &place, question.get_or_init(&make), tasks);
        });
    }
}

/// A bench that takes turns with what it is held against, one question at a time or so many in flight. Only its own time
/// is criterion's; nanoseconds for each question of both go to `turns`.
pub fn bench_in_turns<'a, Q: Question, F: Question>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    (make, make_floor): (impl Fn() -> (&'a Runtime, Q), impl Fn() -> (&'a Runtime, F)),
    tasks: u64,
    turns: impl Fn((f64, f64)),
) {
    let (questions, place) = (OnceCell::new(), Cell::new(0));
    group.bench_function(id, |bencher| {
        let ((runtime, question), (floor_runtime, floor)) = questions.get_or_init(|| (make(), make_floor()));
        bencher.iter_custom(|times| {
            let (half, rest) = (times.div_ceil(2), times / 2);
            let (from, later) = (advance(&place, half, question.places()), advance(&place, rest, question.places()));
            let ask = |from, times| timed(runtime, question.clone(), from, times, tasks);
            let ask_floor = |from, times| timed(floor_runtime, floor.clone(), from, times, tasks);
            // Each asks first for one half of the logins, and after the other for the other half.
            let mut floor_took = ask_floor(from, half);
            let took = ask(later, rest) + ask(from, half);
            floor_took += ask_floor(later, rest);
            // The first few questions of a bench are there to find out how long it takes.
            if took + floor_took > LONG_ENOUGH {
                #[allow(clippy::cast_precision_loss)] // so many questions are not asked
                let each = |took: Duration| took.as_secs_f64() * 1e9 / times as f64;
                turns((each(took), each(floor_took)));
            }
            took
        });
    });
}

/// Shorter turns of both are not counted.
const LONG_ENOUGH: Duration = Duration::from_millis(4);

fn timed(runtime: &Runtime, question: impl Question, from: usize, times: u64, tasks: u64) -> Duration {
    if tasks == 1 {
        spawned(runtime, repeat(question, from, times))
    } else {
        spawned(runtime, all_at_once(question, from, times, tasks))
    }
}

/// Asks for one after another; the next sample goes on where this one ended.
fn one_by_one(bencher: &mut Bencher<'_>, runtime: &Runtime, place: &Cell<usize>, question: &impl Question) {
    bencher.iter_custom(|times| {
        let from = advance(place, times, question.places());
        timed(runtime, question.clone(), from, times, 1)
    });
}

/// Asks with so many questions in flight at any time. The time for each is what comes out: all together, shared.
fn in_flight(bencher: &mut Bencher<'_>, runtime: &Runtime, place: &Cell<usize>, question: &impl Question, tasks: u64) {
    bencher.iter_custom(|times| {
        let from = advance(place, times, question.places());
        timed(runtime, question.clone(), from, times, tasks)
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
