//! Counts and times the requests of each mount.
//!
//! A metric is found by its labels, which are texts: that costs more than to count. So each combination is looked up once,
//! and kept.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use metrics::{Counter, Histogram};
use poem::http::{Method, StatusCode};

/// The metrics of one mount, or of everything outside the mounts.
pub(super) struct RequestMetrics {
    /// The path of the mount, or `/`.
    mount: String,
    known: RwLock<Vec<(MetricKey, RequestMetric)>>,
}

/// What a metric is for, apart from its mount.
#[derive(Clone, Copy, PartialEq, Eq)]
struct MetricKey {
    method: &'static str,
    status: StatusCode,
}

#[derive(Clone)]
struct RequestMetric {
    duration: Histogram,
    total: Counter,
}

impl RequestMetrics {
    pub fn new(mount: &str) -> Self {
        Self { mount: mount.to_owned(), known: RwLock::default() }
    }

    /// Counts a request that took this long.
    pub fn count(&self, method: &Method, status: StatusCode, took: Duration) {
        let key = MetricKey { method: known(method), status };
        let find = |(known, metric): &(_, RequestMetric)| (*known == key).then(|| metric.clone());
        let kept = self.known.read().unwrap_or_else(PoisonError::into_inner).iter().find_map(find);
        let metric = kept.unwrap_or_else(|| self.add(key));
        metric.duration.record(took.as_secs_f64());
        metric.total.increment(1);
    }

    fn add(&self, key: MetricKey) -> RequestMetric {
        let labels = [
            ("mount", self.mount.clone()),
            ("method", key.method.to_owned()),
            ("status", key.status.as_str().to_owned()),
        ];
        let duration = metrics::histogram!("http_request_duration_seconds", &labels);
        let metric = RequestMetric { duration, total: metrics::counter!("http_requests_total", &labels) };
        // Two requests may add the same one. Both are the same metric.
        self.known.write().unwrap_or_else(PoisonError::into_inner).push((key, metric.clone()));
        metric
    }
}

/// The label of a method. A method may be any word, and a label for each would fill the memory.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}
