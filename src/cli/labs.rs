//! The commands that run experiments.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Format, Outcome, progress, stop_signal};
use crate::app::{LabNodes, StartError};
use crate::config::{InvalidSetting, Settings};
use crate::labs::cost::{self, Conditions, LONGEST_DELAY, MOST_CLAIMS, MOST_LOGINS, OpenCost as _};
use crate::labs::lab_error::LabError;
use crate::labs::revocation;
use crate::units::time;

#[derive(Subcommand)]
pub(super) enum LabCommand {
    /// Measure how long nodes accept a revoked login
    Revocation {
        /// Strategies to measure, separated by commas [default: all]
        #[arg(long, value_delimiter = ',', value_name = "SLUG")]
        strategies: Vec<String>,
        /// Logins to revoke under each strategy; at most 5 where only expiry ends a login
        #[arg(long, default_value = "200", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        trials: u32,
        /// Output format
        #[arg(long, default_value = "table")]
        format: Format,
    },
    /// Measure the cost of authenticating a request, within seconds and roughly; use a release build
    Cost(CostOptions),
}

#[derive(Args)]
pub(super) struct CostOptions {
    /// Strategies to measure, separated by commas [default: all]
    #[arg(long, value_delimiter = ',', value_name = "SLUG")]
    strategies: Vec<String>,
    /// Delay added to every call to a store, as over a network; at most 5ms
    #[arg(long, default_value = "0ms", value_parser = delay)]
    delay: Duration,
    /// Number of stored logins
    #[arg(long, default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=MOST_LOGINS as i64))]
    logins: u32,
    /// Cache hit rate, in percent: the share of checks of a login that was checked before
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(u8).range(0..=100))]
    hit_rate: u8,
    /// Length of the user's name in the claims of every token, in bytes; 0 leaves it as it is
    #[arg(long, default_value = "0", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(0..=MOST_CLAIMS as i64))]
    claims: u32,
    /// Output format
    #[arg(long, default_value = "table")]
    format: Format,
}

impl CostOptions {
    fn conditions(&self) -> Conditions {
        let (logins, claim_bytes) = (self.logins as usize, self.claims as usize);
        Conditions { delay: self.delay, logins, hit_rate: self.hit_rate, claim_bytes }
    }
}

fn delay(text: &str) -> Result<Duration, InvalidSetting> {
    let delay = humantime::parse_duration(text).ok().filter(|delay| *delay <= LONGEST_DELAY);
    delay.ok_or(InvalidSetting::Delay)
}

pub(super) async fn run(settings: &Settings, lab: LabCommand) -> Outcome {
    match lab {
        LabCommand::Revocation { strategies, trials, format } => {
            lab_revocation(settings, &strategies, trials as usize, format).await
        }
        LabCommand::Cost(options) => lab_cost(settings, &options).await,
    }
}

/// Ctrl-C before the last strategy was measured. The report has the others.
#[derive(Debug, thiserror::Error)]
#[error("stopped: the report has {measured} of {of} strategies, and the last of them may have fewer trials")]
struct StoppedEarly {
    measured: usize,
    of: usize,
}

async fn lab_revocation(settings: &Settings, wanted: &[String], trials: usize, format: Format) -> Outcome {
    let stop = stop_signal()?;
    let stopped = Arc::new(AtomicBool::new(false));
    let seen = stopped.clone();
    let listener = tokio::spawn(async move {
        stop.await;
        seen.store(true, Ordering::Relaxed);
    });
    let nodes = LabNodes::open(settings, wanted).await?;
    let measured = measure_revocation(&nodes, wanted, trials, || !stopped.load(Ordering::Relaxed)).await;
    progress::now("");
    nodes.close().await;
    listener.abort();
    let (results, of) = measured?;
    let measured = results.len();
    if measured > 0 {
        print(&revocation::RevocationReport { results }, format)?;
    }
    if stopped.load(Ordering::Relaxed) { Err(StoppedEarly { measured, of }.into()) } else { Ok(()) }
}

/// The results so far, and how many strategies there are.
async fn measure_revocation(
    nodes: &LabNodes,
    wanted: &[String],
    trials: usize,
    goes_on: impl Fn() -> bool,
) -> Result<(Vec<revocation::RevocationResult>, usize), Box<dyn std::error::Error>> {
    let (pairs, subject) = nodes.revocation_setup(wanted).await.map_err(StartError::Lab)?;
    let (mut results, of) = (Vec::new(), pairs.len());
    for (number, pair) in (1..).zip(&pairs) {
        progress::now(&format!("{number} of {of}: {}", pair.slug()));
        let result = match revocation::measure(pair, &subject, trials, &goes_on).await {
            Err(LabError::Stopped) => break,
            result => result?,
        };
        let worst = result.last_accept_after_response_ms;
        let (same, other, trials) = (worst.same_node.max, worst.other_node.max, result.trials);
        progress::measured(&format!(
            "{}: staleness {same:.3} ms, on the other node {other:.3} ms, worst of {trials}",
            pair.slug()
        ));
        results.push(result);
    }
    Ok((results, of))
}

async fn lab_cost(settings: &Settings, options: &CostOptions) -> Outcome {
    let nodes = LabNodes::open(settings, &options.strategies).await?;
    let report = measure_cost(&nodes, options).await;
    progress::now("");
    nodes.close().await;
    let report = report?;
    if report.is_debug() && matches!(options.format, Format::Json) {
        writeln!(std::io::stderr(), "{}", cost::DEBUG_WARNING)?;
    }
    print(&report, options.format)?;
    let measured = report.results.len();
    let stopped = || StoppedEarly { measured, of: measured + report.not_measured.len() };
    if report.is_stopped() { Err(stopped().into()) } else { Ok(()) }
}

async fn measure_cost(nodes: &LabNodes, options: &CostOptions) -> Result<cost::CostReport, Box<dyn std::error::Error>> {
    let setup = nodes.open_cost(&options.strategies, options.delay).await.map_err(StartError::Lab)?;
    let on_event = |event| match event {
        cost::CostEvent::Strategy { number, of, slug } => progress::now(&format!("{number} of {of}: {slug}")),
        cost::CostEvent::Measured { slug, check_ns, store_calls } => {
            progress::measured(&format!("{slug}: a check {}, {store_calls:.2} store calls", time(check_ns)));
        }
        _ => {}
    };
    let (conditions, stop) = (options.conditions(), stop_signal()?);
    // Spawned, so that it runs on the runtime's threads as a request does.
    let report = tokio::spawn(async move { cost::run(&setup, conditions, stop, on_event).await }).await?;
    Ok(report?)
}

/// Tables for a terminal are as wide as it is.
fn print(report: &(impl Serialize + Display), format: Format) -> Outcome {
    let mut out = std::io::stdout().lock();
    match (format, progress::columns()) {
        (Format::Json, _) => writeln!(out, "{}", serde_json::to_string_pretty(report)?)?,
        (Format::Table, Some(width)) => write!(out, "{report:width$}")?,
        (Format::Table, None) => write!(out, "{report}")?,
    }
    Ok(())
}
