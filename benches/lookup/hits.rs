//! `lookup/session-tracked-hits-…`: the same cache when a part of the logins that come is not in it.
//!
//! Before each walk over the logins, and outside of the time, another client sends a `PEXPIRE` for those that are to be
//! missed: Redis then evicts them from the node, as it would if they had changed. A last one is sent for a sentinel;
//! pushes keep their order, so when that one is gone all are. Redis' own count of `GET`s says that the share was right.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use jwt_vs_session::auth::AuthStrategy;
use jwt_vs_session::trace::Trace;
use redis::aio::MultiplexedConnection;

use crate::stage::Stage;
use crate::stage::logins::{Opened, device, from_memory};
use crate::stage::questions::Identify;
use crate::stage::timing::{finished, repeat};

/// All of them.
pub fn all(criterion: &mut Criterion, stage: &Stage) {
    let mut group = criterion.benchmark_group("lookup");
    group.throughput(Throughput::Elements(1));
    for hits in [100, 90, 50] {
        let (walker, place) = (std::cell::OnceCell::new(), Cell::new(0));
        group.bench_function(format!("session-tracked-hits-{hits}"), |bencher| {
            let walker: &Walker = walker.get_or_init(|| Walker::new(stage, hits));
            bencher.iter_custom(|times| stage.runtime.block_on(walker.timed(&place, times)));
        });
    }
    group.finish();
}

struct Walker {
    strategy: Arc<dyn AuthStrategy>,
    logins: Arc<[Opened]>,
    sentinel: Opened,
    other_client: MultiplexedConnection,
    misses_in_100: usize,
}

impl Walker {
    fn new(stage: &Stage, hits: usize) -> Self {
        let (strategy, logins) = (stage.strategy("session-tracked"), stage.logins("session-tracked"));
        let client = stage.redis_client();
        let (other_client, sentinel) = stage.runtime.block_on(async {
            let grant = strategy.issue(&stage.guests()[0], &device(), &Trace::off()).await.expect("a login is opened");
            (client.get_multiplexed_async_connection().await.expect("Redis answers"), Opened::new(grant))
        });
        Self { strategy, logins, sentinel, other_client, misses_in_100: 100 - hits }
    }

    async fn timed(&self, place: &Cell<usize>, times: u64) -> Duration {
        let (mut took, mut left) = (Duration::ZERO, times);
        let mut spoilt = 0;
        while left > 0 {
            let from = place.get();
            let length = usize::try_from(left).expect("64 bits").min(self.logins.len() - from);
            match self.walk(from, length).await {
                Some(walked) => {
                    took += walked;
                    left -= length as u64;
                    place.set((from + length) % self.logins.len());
                }
                None => spoilt += 1,
            }
            assert!(spoilt < 100, "the share of hits is never what it should be");
        }
        took
    }

    /// `None` if not exactly what was evicted was read again: the channel was late on a busy machine.
    async fn walk(&self, from: usize, length: usize) -> Option<Duration> {
        let evicted = self.evict(from, length).await;
        let before = self.gets().await;
        let question = Identify::new(self.strategy.clone(), self.logins.clone());
        let took = finished(tokio::spawn(repeat(question, from, length as u64)).await);
        (self.gets().await - before == evicted).then_some(took)
    }

    async fn evict(&self, from: usize, length: usize) -> u64 {
        // The order of the logins is shuffled, so any rule that takes the right share is as good as another.
        let missed = |place: &usize| (place * 37) % 100 < self.misses_in_100;
        let places: Vec<_> = (from..from + length).filter(missed).collect();
        self.sentinel_is(true).await;
        let mut pipeline = redis::pipe();
        for login in places.iter().map(|&place| &self.logins[place]).chain([&self.sentinel]) {
            let key = format!("{{jvs}}:ts:{}", login.login());
            pipeline.cmd("PEXPIRE").arg(key).arg(11 * 3_600_000);
        }
        let known: Vec<u64> = pipeline.query_async(&mut self.other_client.clone()).await.expect("Redis answers");
        assert!(known.iter().all(|&known| known == 1), "every login is stored under the key that is used here");
        self.sentinel_is(false).await;
        places.len() as u64
    }

    /// Waits until the sentinel is in the node's cache, or until it is not.
    async fn sentinel_is(&self, cached: bool) {
        let begun = Instant::now();
        while from_memory(&self.strategy, &self.sentinel).await != cached {
            assert!(begun.elapsed() < Duration::from_secs(10), "the channel does not tell");
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
    }

    /// How many `GET`s Redis has answered.
    async fn gets(&self) -> u64 {
        let mut info = redis::cmd("INFO");
        info.arg("commandstats");
        let text: String = info.query_async(&mut self.other_client.clone()).await.expect("Redis answers");
        let line = text.lines().find_map(|line| line.strip_prefix("cmdstat_get:calls=")).unwrap_or("0,");
        line.split(',').next().and_then(|calls| calls.parse().ok()).expect("a number")
    }
}
