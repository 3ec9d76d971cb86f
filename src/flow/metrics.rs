//! Counts the requests and the checks of each mount.
//!
//! A metric is found by its labels, which are texts: that costs more than to count. So each combination of labels is
//! looked up once, and kept.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use metrics::{Counter, Histogram};
use poem::http::{Method, StatusCode};

use crate::trace::VerdictKind;

/// The metrics that were looked up, by what tells them apart.
struct KeptMetrics<K, M>(RwLock<Vec<(K, M)>>);

impl<K: Copy + PartialEq, M: Clone> KeptMetrics<K, M> {
    fn new() -> Self {
        Self(RwLock::default())
    }

    fn get(&self, key: K, look_up: impl FnOnce() -> M) -> M {
        let find = |(kept, metric): &(K, M)| (*kept == key).then(|| metric.clone());
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner).iter().find_map(find);
        kept.unwrap_or_else(|| {
            let metric = look_up();
            // Two requests may keep the same one. Both are the same metric.
            self.0.write().unwrap_or_else(PoisonError::into_inner).push((key, metric.clone()));
            metric
        })
    }
}

/// The requests of one mount, or of everything outside the mounts.
pub(super) struct RequestMetrics {
    /// The path of the mount, or `/`.
    mount: String,
    kept: KeptMetrics<(&'static str, StatusCode), (Histogram, Counter)>,
}

impl RequestMetrics {
    pub fn new(mount: &str) -> Self {
        Self { mount: mount.to_owned(), kept: KeptMetrics::new() }
    }

    /// Counts a request that took this long.
    pub fn count(&self, method: &Method, status: StatusCode, took: Duration) {
        let method = known(method);
        let (duration, total) = self.kept.get((method, status), || {
            let labels =
                [("mount", self.mount.clone()), ("method", method.to_owned()), ("status", status.as_str().to_owned())];
            let duration = metrics::histogram!("http_request_duration_seconds", &labels);
            (duration, metrics::counter!("http_requests_total", &labels))
        });
        duration.record(took.as_secs_f64());
        total.increment(1);
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

/// The checks of one strategy.
pub(super) struct CheckMetrics {
    slug: &'static str,
    kept: KeptMetrics<VerdictKind, Counter>,
}

impl CheckMetrics {
    pub fn new(slug: &'static str) -> Self {
        Self { slug, kept: KeptMetrics::new() }
    }

    /// Counts a check with this verdict.
    pub fn count(&self, verdict: VerdictKind) {
        let look_up = || metrics::counter!("auth_identify_total", "strategy" => self.slug, "verdict" => verdict.name());
        self.kept.get(verdict, look_up).increment(1);
    }
}
