//! The timed loops. They run where a server's requests run: in tasks on the workers of the runtime.

use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{Bencher, BenchmarkGroup, BenchmarkId};
use tokio::runtime::Runtime;
use tokio::task::{JoinError, JoinSet};

/// What a bench measures again and again, each time with another login.
pub trait Probe: Clone + Send + Sync + 'static {
    /// The number of different logins.
    fn count(&self) -> usize;

    /// Sends the request for one login. Panics unless the outcome is the right one.
    fn send(&self, index: usize) -> impl Future<Output = ()> + Send;
}

/// The id of a bench without a parameter.
pub fn plain(name: &str) -> BenchmarkId {
    BenchmarkId::from_parameter(name)
}

/// Benches one probe at a time. `make` runs only if no filter skips the bench.
pub fn bench<'a, Q: Probe>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    runtime: impl Fn() -> &'a Runtime,
    make: impl Fn() -> Q,
) {
    let (probe, index) = (OnceCell::new(), Cell::new(0));
    group.bench_function(id, |bencher| one_by_one(bencher, runtime(), &index, probe.get_or_init(&make)));
}

/// Numbers of probes in flight.
pub const IN_FLIGHT: [u64; 3] = [8, 64, 512];

/// Benches with several probes in flight: `session/64` is `session` with 64.
pub fn bench_in_flight<'a, Q: Probe>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    runtime: impl Fn() -> &'a Runtime,
    make: impl Fn() -> Q,
) {
    let (probe, index) = (OnceCell::new(), Cell::new(0));
    for tasks in IN_FLIGHT {
        group.bench_function(BenchmarkId::new(name, tasks), |bencher| {
            in_flight(bencher, runtime(), &index, probe.get_or_init(&make), tasks);
        });
    }
}

/// Benches a probe and its floor alternately, with `tasks` probes in flight. criterion gets the time of the probe only;
/// `add_round` gets the nanoseconds of each probe and of each floor.
pub fn bench_paired<'a, Q: Probe, F: Probe>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    (make, make_floor): (impl Fn() -> (&'a Runtime, Q), impl Fn() -> (&'a Runtime, F)),
    tasks: u64,
    add_round: impl Fn((f64, f64)),
) {
    let (probes, index) = (OnceCell::new(), Cell::new(0));
    group.bench_function(id, |bencher| {
        let ((runtime, probe), (floor_runtime, floor)) = probes.get_or_init(|| (make(), make_floor()));
        bencher.iter_custom(|times| {
            let (half, rest) = (times.div_ceil(2), times / 2);
            let (from, later) = (advance(&index, half, probe.count()), advance(&index, rest, probe.count()));
            let measure = |from, times| timed(runtime, probe.clone(), from, times, tasks);
            let measure_floor = |from, times| timed(floor_runtime, floor.clone(), from, times, tasks);
            // Floor, probe, floor: in this order a machine that gets slower or faster favours neither.
            let mut floor_took = measure_floor(from, half);
            let took = measure(later, rest) + measure(from, half);
            floor_took += measure_floor(later, rest);
            // criterion begins with a few short rounds to find out how long an iteration takes.
            if took + floor_took > LONG_ENOUGH {
                #[allow(clippy::cast_precision_loss)] // a bench has fewer iterations than 2^52
                let each = |took: Duration| took.as_secs_f64() * 1e9 / times as f64;
                add_round((each(took), each(floor_took)));
            }
            took
        });
    });
}

/// Shorter rounds say nothing.
const LONG_ENOUGH: Duration = Duration::from_millis(4);

fn timed(runtime: &Runtime, probe: impl Probe, from: usize, times: u64, tasks: u64) -> Duration {
    if tasks == 1 {
        spawned(runtime, repeat(probe, from, times))
    } else {
        spawned(runtime, all_at_once(probe, from, times, tasks))
    }
}

/// Each sample goes on with the login after the last one of the sample before.
fn one_by_one(bencher: &mut Bencher<'_>, runtime: &Runtime, index: &Cell<usize>, probe: &impl Probe) {
    bencher.iter_custom(|times| {
        let from = advance(index, times, probe.count());
        timed(runtime, probe.clone(), from, times, 1)
    });
}

/// The time of an iteration is the time of the whole sample, divided by the number of its probes.
fn in_flight(bencher: &mut Bencher<'_>, runtime: &Runtime, index: &Cell<usize>, probe: &impl Probe, tasks: u64) {
    bencher.iter_custom(|times| {
        let from = advance(index, times, probe.count());
        timed(runtime, probe.clone(), from, times, tasks)
    });
}

/// Runs the future as a task of the runtime and waits for it.
pub fn spawned<T: Send + 'static>(runtime: &Runtime, task: impl Future<Output = T> + Send + 'static) -> T {
    finished(runtime.block_on(async { tokio::spawn(task).await }))
}

/// Panics if the task did: a wrong outcome stops the bench.
pub fn finished<T>(outcome: Result<T, JoinError>) -> T {
    outcome.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn advance(index: &Cell<usize>, times: u64, count: usize) -> usize {
    let from = index.get();
    let times = usize::try_from(times).expect("64 bits");
    index.set((from + times) % count);
    from
}

/// After this many probes the task yields, so that the channels from Redis make progress, as they would in a server.
const YIELD_AFTER: u64 = 1_024;

/// Sends the probe `times` times, one after another, and returns how long that took.
pub async fn repeat(probe: impl Probe, from: usize, times: u64) -> Duration {
    let count = probe.count();
    let mut index = from % count;
    let begun = Instant::now();
    for time in 1..=times {
        probe.send(index).await;
        if time % YIELD_AFTER == 0 {
            tokio::task::yield_now().await;
        }
        index += 1;
        if index == count {
            index = 0;
        }
    }
    begun.elapsed()
}

async fn all_at_once(probe: impl Probe, from: usize, times: u64, tasks: u64) -> Duration {
    let mut running = JoinSet::new();
    let step = probe.count() / usize::try_from(tasks).expect("64 bits");
    let begun = Instant::now();
    let mut start = from;
    for task in 0..tasks {
        let share = times / tasks + u64::from(task < times % tasks);
        running.spawn(repeat(probe.clone(), start, share));
        start += step;
    }
    while let Some(one) = running.join_next().await {
        finished(one);
    }
    begun.elapsed()
}
