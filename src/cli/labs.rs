//! The experiments on the command line.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Format, Outcome, stop_signal};
use crate::app::{CostLab, Lab};
use crate::config::Settings;
use crate::labs::cost::{self, Conditions, LONGEST_DELAY, MOST_CLAIMS, MOST_LOGINS};
use crate::labs::revocation;

#[derive(Subcommand)]
pub(super) enum LabCommand {
    /// How long a revoked login goes on being accepted, on the node that revoked it and on another one
    Revocation {
        /// Only these
        #[arg(long, value_delimiter = ',', value_name = "SLUG")]
        strategies: Vec<String>,
        /// How many logins are revoked under each strategy; at most 5 where only expiry ends one
        #[arg(long, default_value = "200", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        trials: u32,
        /// How to print the report
        #[arg(long, default_value = "table")]
        format: Format,
    },
    /// What it costs to know who asks, in seconds and indicative: use a release build
    Cost(CostOptions),
}

#[derive(Args)]
pub(super) struct CostOptions {
    /// Only these
    #[arg(long, value_delimiter = ',', value_name = "SLUG")]
    strategies: Vec<String>,
    /// Added to every call to a store, as over a network: up to 5ms
    #[arg(long, default_value = "0ms", value_parser = delay)]
    delay: Duration,
    /// How many logins are stored
    #[arg(long, default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=MOST_LOGINS as i64))]
    logins: u32,
    /// Of a hundred requests, so many are of a login that was asked for before
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(u8).range(0..=100))]
    hit_rate: u8,
    /// Length of the user's name, which is in the claims of every token; 0 leaves it as it is
    #[arg(long, default_value = "0", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(0..=MOST_CLAIMS as i64))]
    claims: u32,
    /// How to print the report
    #[arg(long, default_value = "table")]
    format: Format,
}

impl CostOptions {
    fn conditions(&self) -> Conditions {
        let (logins, claim_bytes) = (self.logins as usize, self.claims as usize);
        Conditions { delay: self.delay, logins, hit_rate: self.hit_rate, claim_bytes }
    }
}

fn delay(text: &str) -> Result<Duration, String> {
    let delay = humantime::parse_duration(text).ok().filter(|delay| *delay <= LONGEST_DELAY);
    delay.ok_or_else(|| "expected a duration from 0ms to 5ms".to_owned())
}

/// Runs one.
pub(super) async fn run(settings: &Settings, lab: LabCommand) -> Outcome {
    match lab {
        LabCommand::Revocation { strategies, trials, format } => {
            lab_revocation(settings, &strategies, trials as usize, format).await
        }
        LabCommand::Cost(options) => lab_cost(settings, &options).await,
    }
}

async fn lab_revocation(settings: &Settings, wanted: &[String], trials: usize, format: Format) -> Outcome {
    let lab = Lab::open(settings, wanted).await?;
    let progress = std::io::stderr().is_terminal();
    let mut results = Vec::new();
    for pair in &lab.pairs {
        if progress {
            write!(std::io::stderr(), "\r\x1b[K{} …", pair.slug())?;
        }
        results.push(revocation::measure(pair, &lab.subject, trials).await);
    }
    if progress {
        write!(std::io::stderr(), "\r\x1b[K")?;
    }
    lab.close().await;
    let results = results.into_iter().collect::<Result<_, _>>()?;
    let report = revocation::RevocationReport { results };
    let mut out = std::io::stdout().lock();
    match format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?,
        Format::Table => write!(out, "{report}")?,
    }
    Ok(())
}

async fn lab_cost(settings: &Settings, options: &CostOptions) -> Outcome {
    let lab = CostLab::open(settings, &options.strategies, options.delay).await?;
    let progress = std::io::stderr().is_terminal();
    let tell = move |event| {
        if let (true, cost::CostEvent::Strategy { number, of, slug }) = (progress, event) {
            let _ = write!(std::io::stderr(), "\r\x1b[K{number} of {of}: {slug} …");
        }
    };
    let (bench, conditions, stop) = (lab.bench.clone(), options.conditions(), stop_signal()?);
    // As a request runs: among the runtime's own threads, beside the connections that it waits for.
    let report = tokio::spawn(async move { cost::run(&bench, conditions, stop, tell).await }).await?;
    if progress {
        write!(std::io::stderr(), "\r\x1b[K")?;
    }
    lab.close().await;
    let report = report?;
    if report.is_debug() {
        writeln!(std::io::stderr(), "{}", cost::DEBUG_WARNING)?;
    }
    let mut out = std::io::stdout().lock();
    match options.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?,
        Format::Table => write!(out, "{report}")?,
    }
    Ok(())
}
