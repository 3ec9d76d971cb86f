//! How the time of a page divides.

use std::time::{Duration, Instant};

use crate::request::page::Page;
use crate::stage::Stage;
use crate::stage::probes::Identify;
use crate::stage::processor::ProcessorTime;
use crate::stage::timing::{Probe as _, repeat, spawned};

/// The number of pages behind a row.
const PAGES: u32 = 4_096;

/// The figures of one strategy, in microseconds for each page.
pub struct Row {
    slug: &'static str,
    page: f64,
    authentication: f64,
    rendering: f64,
    processor: f64,
    redis_processor: f64,
    bytes: usize,
}

impl Row {
    /// Requests [`PAGES`] pages once more and measures the processor time.
    pub fn measure(stage: &Stage, page: &Page, identify: &Identify) -> Self {
        let each = |took: Duration| took.as_secs_f64() * 1e6 / f64::from(PAGES);
        let (before, redis_before) = (ProcessorTime::of("self"), redis_processor(stage));
        let whole = spawned(&stage.runtime, repeat(page.clone(), 0, PAGES.into()));
        let (after, redis_after) = (ProcessorTime::of("self"), redis_processor(stage));
        Self {
            slug: page.slug,
            page: each(whole),
            authentication: each(spawned(&stage.runtime, repeat(identify.clone(), 0, PAGES.into()))),
            rendering: each(spawned(&stage.runtime, rendering(page.clone(), PAGES.into()))),
            processor: after.ns_since(&before) / 1e3 / f64::from(PAGES),
            redis_processor: each(redis_after.saturating_sub(redis_before)),
            bytes: stage.runtime.block_on(page.get(0)).1.len(),
        }
    }
}

/// The table, on standard error: standard output is criterion's.
pub fn print(rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    eprintln!("\nmicroseconds for a page         authen-                       processor    its share");
    eprintln!(
        "{:<16} {:>8} {:>12} {:>10} {:>6} {:>10} {:>12} {:>7}",
        "", "page", "tication", "rendering", "rest", "time", "of Redis", "bytes"
    );
    for Row { slug, page, authentication, rendering, processor, redis_processor, bytes } in rows {
        let rest = page - authentication - rendering;
        eprintln!(
            "{slug:<16} {page:>8.1} {authentication:>12.1} {rendering:>10.1} {rest:>6.1} {processor:>10.1} \
             {redis_processor:>12.1} {bytes:>7}"
        );
    }
}

/// Requests pages and returns the time that the server spent on building them.
pub async fn rendering(page: Page, times: u64) -> Duration {
    let mut sum = 0.0;
    let begun = Instant::now();
    for index in (0..page.count()).cycle().take(usize::try_from(times).expect("64 bits")) {
        sum += after_authentication(&page.get(index).await.0);
    }
    Duration::from_secs_f64(sum / 1e3).min(begun.elapsed())
}

/// The total minus every step before the page, in milliseconds.
fn after_authentication(timing: &str) -> f64 {
    assert!(timing.contains("total;"), "no total: {timing}");
    let mut left = 0.0;
    let mut parts = timing.split(";dur=");
    let mut name = parts.next().unwrap_or_default();
    for part in parts {
        let number = part.split([';', ',']).next().and_then(|number| number.parse::<f64>().ok()).expect("a duration");
        match name.rsplit(", ").next() {
            Some("total") => left += number,
            Some("page") => {}
            _ => left -= number,
        }
        name = part;
    }
    left
}

fn redis_processor(stage: &Stage) -> Duration {
    let info = stage.runtime.block_on(stage.redis.command(&["INFO", "cpu"]));
    let info: redis::InfoDict = redis::from_redis_value(info).expect("lines");
    let seconds = |name| info.get::<f64>(name).expect("seconds");
    Duration::from_secs_f64(seconds("used_cpu_user") + seconds("used_cpu_sys"))
}
