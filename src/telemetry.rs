//! Logs to standard error, and metrics for Prometheus. Both belong to the process: several nodes in it share them.

use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Upper ends of the histogram's buckets, in seconds.
const BUCKETS: [f64; 10] = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.01, 0.05, 0.25, 1.0, 2.5];

/// The default filter of the log. tower-sessions warns of every unknown id and logs every error that it returns; this
/// server logs both itself, once.
pub const QUIET: &str = "info,tower_sessions_core=off,sqlx=warn,sea_orm_migration=warn,poem=warn";

static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// The time between two upkeeps of the metrics.
const UPKEEP: Duration = Duration::from_secs(5);

/// Starts logging. `RUST_LOG` replaces the filter [`QUIET`].
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(QUIET));
    let coloured = std::io::stderr().is_terminal();
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(coloured).try_init();
}

/// Starts counting. Further calls in the same process change nothing.
pub fn count() {
    METRICS.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS);
        builder.and_then(PrometheusBuilder::install_recorder).ok()
    });
}

/// Sorts what was measured into the buckets of the histograms, again and again. Without it each request would take a few
/// bytes until the next scrape.
pub async fn upkeep() {
    let Some(Some(metrics)) = METRICS.get() else { return };
    loop {
        tokio::time::sleep(UPKEEP).await;
        metrics.run_upkeep();
    }
}

/// Renders the metrics in the text format of Prometheus.
pub fn render() -> String {
    METRICS.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}
