//! `lookup/session-tracked-hits-…`: checks at a hit rate below 100 %.
//!
//! Before each walk over the logins, untimed, another client sends a `PEXPIRE` for each login that shall be a miss. Redis
//! then evicts the copy from the node, as after a change. The last `PEXPIRE` is for a sentinel: Redis pushes in order, so
//! once the sentinel is evicted all of them are. Redis' own count of `GET`s proves the hit rate.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use jwt_vs_session::auth::AuthStrategy;
use jwt_vs_session::trace::Trace;
use redis::aio::MultiplexedConnection;

use crate::stage::Stage;
use crate::stage::logins::{OpenLogin, device, from_memory};
use crate::stage::probes::Identify;
use crate::stage::timing::{finished, repeat};

pub fn all(criterion: &mut Criterion, stage: &Stage) {
    let mut group = criterion.benchmark_group("lookup");
    group.throughput(Throughput::Elements(1));
    for hits in [100, 90, 50] {
        let (walker, index) = (std::cell::OnceCell::new(), Cell::new(0));
        group.bench_function(format!("session-tracked-hits-{hits}"), |bencher| {
            let walker: &Walker = walker.get_or_init(|| Walker::new(stage, hits));
            bencher.iter_custom(|times| stage.runtime.block_on(walker.timed(&index, times)));
        });
    }
    group.finish();
}

struct Walker {
    strategy: Arc<dyn AuthStrategy>,
    logins: Arc<[OpenLogin]>,
    sentinel: OpenLogin,
    other_client: MultiplexedConnection,
    misses_in_100: usize,
}

impl Walker {
    fn new(stage: &Stage, hits: usize) -> Self {
        let (strategy, logins) = (stage.strategy("session-tracked"), stage.logins("session-tracked"));
        let client = stage.redis_client();
        let (other_client, sentinel) = stage.runtime.block_on(async {
            let grant = strategy.issue(&stage.guests()[0], &device(), &Trace::off()).await.expect("a login is opened");
            (client.get_multiplexed_async_connection().await.expect("Redis answers"), OpenLogin::new(grant))
        });
        Self { strategy, logins, sentinel, other_client, misses_in_100: 100 - hits }
    }

    async fn timed(&self, index: &Cell<usize>, times: u64) -> Duration {
        let (mut took, mut left) = (Duration::ZERO, times);
        let mut discarded = 0;
        while left > 0 {
            let from = index.get();
            let length = usize::try_from(left).expect("64 bits").min(self.logins.len() - from);
            match self.walk(from, length).await {
                Some(walked) => {
                    took += walked;
                    left -= length as u64;
                    index.set((from + length) % self.logins.len());
                }
                None => discarded += 1,
            }
            assert!(discarded < 100, "no walk has the right hit rate");
        }
        took
    }

    /// `None` if the number of `GET`s differs from the number of evictions: on a busy machine the channel is late.
    async fn walk(&self, from: usize, length: usize) -> Option<Duration> {
        let evicted = self.evict(from, length).await;
        let before = self.gets().await;
        let probe = Identify::new(self.strategy.clone(), self.logins.clone());
        let took = finished(tokio::spawn(repeat(probe, from, length as u64)).await);
        (self.gets().await - before == evicted).then_some(took)
    }

    async fn evict(&self, from: usize, length: usize) -> u64 {
        // The logins are in random order, so any rule that selects the right share will do.
        let is_miss = |index: &usize| (index * 37) % 100 < self.misses_in_100;
        let evicted: Vec<_> = (from..from + length).filter(is_miss).collect();
        self.sentinel_is(true).await;
        let mut pipeline = redis::pipe();
        for login in evicted.iter().map(|&index| &self.logins[index]).chain([&self.sentinel]) {
            let key = format!("{{jvs}}:ts:{}", login.login());
            pipeline.cmd("PEXPIRE").arg(key).arg(11 * 3_600_000);
        }
        let changed: Vec<u64> = pipeline.query_async(&mut self.other_client.clone()).await.expect("Redis answers");
        assert!(changed.iter().all(|&changed| changed == 1), "Redis does not know a key");
        self.sentinel_is(false).await;
        evicted.len() as u64
    }

    /// Waits until the node's cache holds the sentinel, or until it does not.
    async fn sentinel_is(&self, cached: bool) {
        let begun = Instant::now();
        while from_memory(&self.strategy, &self.sentinel).await != cached {
            assert!(begun.elapsed() < Duration::from_secs(10), "no push arrives");
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
    }

    /// The number of `GET`s that Redis has answered.
    async fn gets(&self) -> u64 {
        let mut info = redis::cmd("INFO");
        info.arg("commandstats");
        let text: String = info.query_async(&mut self.other_client.clone()).await.expect("Redis answers");
        let line = text.lines().find_map(|line| line.strip_prefix("cmdstat_get:calls=")).unwrap_or("0,");
        line.split(',').next().and_then(|calls| calls.parse().ok()).expect("a number")
    }
}
