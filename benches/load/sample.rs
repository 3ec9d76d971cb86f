//! What one round measured, and the figures of many.

use std::time::Duration;

use jwt_vs_session::labs::figures::{LoadFigures, Spread};
use jwt_vs_session::units::quantile;

pub struct Sample {
    pub elapsed: Duration,
    /// The processor time of the server, for all requests.
    pub server_ns: f64,
    pub redis_ns: f64,
    /// Of each request.
    pub latencies_ns: Vec<f64>,
}

impl Sample {
    /// Both halves of a round.
    pub fn and(mut self, other: Self) -> Self {
        self.elapsed += other.elapsed;
        self.server_ns += other.server_ns;
        self.redis_ns += other.redis_ns;
        self.latencies_ns.extend(other.latencies_ns);
        self
    }

    /// The processor time of a request, of the server and Redis together.
    pub fn processor_ns(&self) -> f64 {
        (self.server_ns + self.redis_ns) / self.requests()
    }

    #[allow(clippy::cast_precision_loss)] // requests of a round
    fn requests(&self) -> f64 {
        self.latencies_ns.len() as f64
    }

    fn latency(&self, percent: usize) -> f64 {
        quantile(&self.latencies_ns, percent).expect("a request")
    }

    /// Sorts the latencies, as the percentiles need them.
    pub fn sorted(mut self) -> Self {
        self.latencies_ns.sort_by(f64::total_cmp);
        self
    }
}

pub fn figures(id: &str, samples: &[Sample]) -> Option<LoadFigures> {
    let spread = |value: fn(&Sample) -> f64| Spread::of(samples.iter().map(value).collect());
    Some(LoadFigures {
        id: id.to_owned(),
        processor_ns: spread(Sample::processor_ns)?,
        redis_ns: spread(|sample| sample.redis_ns / sample.requests())?,
        requests_per_second: spread(|sample| sample.requests() / sample.elapsed.as_secs_f64())?,
        p50_ns: spread(|sample| sample.latency(50))?,
        p99_ns: spread(|sample| sample.latency(99))?,
    })
}
