//! The commands that run experiments.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Format, Outcome, stop_signal};
use crate::app::{LabNodes, StartError};
use crate::config::{InvalidSetting, Settings};
use crate::labs::cost::{self, Conditions, LONGEST_DELAY, MOST_CLAIMS, MOST_LOGINS, OpenCost as _};
use crate::labs::revocation;

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

async fn lab_revocation(settings: &Settings, wanted: &[String], trials: usize, format: Format) -> Outcome {
    let nodes = LabNodes::open(settings, wanted).await?;
    let results = measure_revocation(&nodes, wanted, trials).await;
    show_progress("");
    nodes.close().await;
    let report = revocation::RevocationReport { results: results? };
    print(&report, format)
}

async fn measure_revocation(
    nodes: &LabNodes,
    wanted: &[String],
    trials: usize,
) -> Result<Vec<revocation::RevocationResult>, Box<dyn std::error::Error>> {
    let (pairs, subject) = nodes.revocation_setup(wanted).await.map_err(StartError::Lab)?;
    let mut results = Vec::new();
    for pair in &pairs {
        show_progress(pair.slug());
        results.push(revocation::measure(pair, &subject, trials).await?);
    }
    Ok(results)
}

async fn lab_cost(settings: &Settings, options: &CostOptions) -> Outcome {
    let nodes = LabNodes::open(settings, &options.strategies).await?;
    let report = measure_cost(&nodes, options).await;
    show_progress("");
    nodes.close().await;
    let report = report?;
    if report.is_debug() && matches!(options.format, Format::Json) {
        writeln!(std::io::stderr(), "{}", cost::DEBUG_WARNING)?;
    }
    print(&report, options.format)
}

async fn measure_cost(nodes: &LabNodes, options: &CostOptions) -> Result<cost::CostReport, Box<dyn std::error::Error>> {
    let setup = nodes.open_cost(&options.strategies, options.delay).await.map_err(StartError::Lab)?;
    let on_event = |event| {
        if let cost::CostEvent::Strategy { number, of, slug } = event {
            show_progress(&format!("{number} of {of}: {slug}"));
        }
    };
    let (conditions, stop) = (options.conditions(), stop_signal()?);
    // Spawned, so that it runs on the runtime's threads as a request does.
    let report = tokio::spawn(async move { cost::run(&setup, conditions, stop, on_event).await }).await?;
    Ok(report?)
}

/// Shows on a terminal what is being measured, in place of what was shown before.
fn show_progress(words: &str) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        let dots = if words.is_empty() { "" } else { " …" };
        let _ = write!(terminal, "\r\x1b[K{words}{dots}");
    }
}

fn print(report: &(impl Serialize + Display), format: Format) -> Outcome {
    let mut out = std::io::stdout().lock();
    match format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(report)?)?,
        Format::Table => write!(out, "{report}")?,
    }
    Ok(())
}
