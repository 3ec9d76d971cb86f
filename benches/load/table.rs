//! The table that the bench prints.

use jwt_vs_session::labs::figures::LoadFigures;
use jwt_vs_session::units::time;

use crate::stage::run::PairedRatio;

/// On standard error, as the other benches' tables.
pub fn print(figures: &[LoadFigures], ratios: &[PairedRatio]) {
    eprintln!("\n{:<28} {:>9} {:>9} {:>11} {:>9} {:>9}", "", "processor", "of Redis", "requests/s", "p50", "p99");
    for LoadFigures { id, processor_ns, redis_ns, requests_per_second, p50_ns, p99_ns } in figures {
        let [processor, redis, p50, p99] = [processor_ns, redis_ns, p50_ns, p99_ns].map(|spread| time(spread.median));
        let rate = requests_per_second.median;
        eprintln!("{id:<28} {processor:>9} {redis:>9} {rate:>11.0} {p50:>9} {p99:>9}");
    }
    for PairedRatio { id, against, times, more_ns, .. } in ratios {
        let (median, low, high) = (times.median, times.low, times.high);
        let more = more_ns.median / 1e3;
        eprintln!("{id} / {against}: {median:.2} × ({low:.2} × to {high:.2} ×), {more:+.2} µs");
    }
}
