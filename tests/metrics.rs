//! The memory of the metrics without a scrape. A program of its own: other tests would use memory meanwhile.
#![allow(clippy::expect_used, clippy::print_stdout)]

use std::time::Duration;

use jwt_vs_session::telemetry;

const ROUNDS: usize = 20;
const REQUESTS: usize = 250_000;

/// The library keeps each value until somebody sorts it into its bucket: with 14 bytes each, 70 MB.
const ALLOWED_KIB: usize = 16 * 1024;

/// On a paused clock: each round lasts as long as an upkeep needs to come around.
#[tokio::test(start_paused = true)]
async fn five_million_requests_without_a_scrape_take_no_memory() {
    telemetry::count();
    tokio::spawn(telemetry::upkeep());
    round().await;
    let before = resident_kib();
    for _ in 0..ROUNDS {
        round().await;
    }
    let grown = resident_kib().saturating_sub(before);
    println!("{grown} KiB after {} requests", ROUNDS * REQUESTS);
    assert!(grown < ALLOWED_KIB, "the metrics grew by {grown} KiB");
    let rendered = telemetry::render();
    let line = format!("test_duration_seconds_count {}", (ROUNDS + 1) * REQUESTS);
    assert!(rendered.contains(&line), "nothing is lost: {rendered}");
}

async fn round() {
    for _ in 0..REQUESTS {
        metrics::histogram!("test_duration_seconds").record(0.000_04);
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
}

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
