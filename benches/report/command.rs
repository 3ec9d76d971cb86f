//! The command line of the report.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand, ValueEnum};
use comfy_table::{CellAlignment, Table, presets};
use jwt_vs_session::units;
use serde_json::json;

use super::criterion::BenchFigures;
use super::document::{Document, StalenessChapter};
use super::run::criterion_folder;
use super::targets::{TargetResult, results};

/// Compare the last run of the benches with the targets
#[derive(Parser)]
#[command(name = "cargo bench --bench report --")]
pub struct Arguments {
    /// Where criterion left its files [default: target/criterion]
    #[arg(long, value_name = "DIR", global = true)]
    criterion: Option<PathBuf>,
    /// How to print the targets
    #[arg(long, default_value = "table")]
    format: TargetFormat,
    /// cargo passes it to every bench
    #[arg(long, hide = true, global = true)]
    bench: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Print docs/figures.md: what the benches and the revocation lab measured, and on which machine
    Figures {
        /// The file that lab revocation --format json wrote
        #[arg(long, value_name = "FILE")]
        revocation: Option<PathBuf>,
        /// For people (docs/figures.md) or for programs (docs/figures.json)
        #[arg(long, default_value = "markdown")]
        format: FiguresFormat,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum TargetFormat {
    Table,
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum FiguresFormat {
    Markdown,
    Json,
}

type Outcome = Result<(), Box<dyn Error>>;

impl Arguments {
    pub fn run(self, out: &mut impl Write) -> Outcome {
        let measured = |folder: Option<PathBuf>| BenchFigures::read(&folder.unwrap_or_else(criterion_folder));
        match self.command {
            None => print_targets(&measured(self.criterion)?, self.format, out),
            Some(Command::Figures { revocation, format }) => {
                let revocations = revocation.as_deref().map(read_revocations).transpose()?;
                print_figures(&Document::new(measured(self.criterion)?, revocations), format, out)
            }
        }
    }
}

fn print_targets(measured: &BenchFigures, format: TargetFormat, out: &mut impl Write) -> Outcome {
    let rows = results(measured);
    match format {
        TargetFormat::Json => {
            let value = json!({ "source": measured.run.source, "targets": rows });
            writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
        }
        TargetFormat::Table => {
            writeln!(out, "{}", table(&rows).trim_fmt())?;
            for (row, why) in rows.iter().filter_map(|row| Some((row, row.in_the_way?))) {
                write!(out, "\n{}: {why}", row.target.what)?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

fn table(rows: &[TargetResult]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["what", "median", "compared with", "measured", "5 % to 95 %", "target", "verdict"]);
    for row in rows {
        let time = |nanos: Option<f64>| nanos.map_or_else(|| "-".to_owned(), units::time);
        let (value, target) = row.words();
        let (median, floor, spread) = (time(row.median_ns), time(row.floor_ns), row.spread_words().unwrap_or_default());
        table.add_row([row.target.what, &median, &floor, &value, &spread, &target, row.verdict.word()]);
    }
    for column in table.column_iter_mut().skip(1).take(5) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn print_figures(document: &Document, format: FiguresFormat, out: &mut impl Write) -> Outcome {
    match format {
        FiguresFormat::Markdown => write!(out, "{document}")?,
        FiguresFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&document.figures())?)?,
    }
    Ok(())
}

fn read_revocations(path: &Path) -> Result<StalenessChapter, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{} is not a report of lab revocation --format json: {error}", path.display()))
}
