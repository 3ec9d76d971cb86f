//! The commands that read what the benches measured.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;

use super::{Format, Outcome};
use crate::labs::criterion::BenchFigures;
use crate::labs::document::{Document, StalenessChapter};
use crate::labs::targets::{TargetResult, reached};
use crate::units;

/// How the figures are written.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Shape {
    /// `docs/figures.md`
    Markdown,
    /// `docs/figures.json`
    Json,
}

/// Prints how a run of the benches stands to the targets.
pub(super) fn ratios(folder: &Path, format: Format) -> Outcome {
    let measured = BenchFigures::read(folder)?;
    let rows = reached(&measured);
    let text = match format {
        Format::Json => {
            serde_json::to_string_pretty(&json!({ "source": measured.run.source, "targets": rows }))? + "\n"
        }
        Format::Table => table(&rows)?,
    };
    Ok(write!(std::io::stdout().lock(), "{text}")?)
}

fn table(rows: &[TargetResult]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let head = ("what", "median", "held against", "measured", "in the turns", "target");
    writeln!(text, "{:<47} {:>8} {:>12} {:>9} {:>19} {:>10}", head.0, head.1, head.2, head.3, head.4, head.5)?;
    for row in rows {
        let time = |nanos: Option<f64>| nanos.map_or_else(|| "-".to_owned(), units::time);
        let ((is, should), word) = (row.words(), row.verdict.word());
        let (median, floor) = (time(row.median_ns), time(row.floor_ns));
        let around = row.around().unwrap_or_default();
        writeln!(text, "{:<47} {median:>8} {floor:>12} {is:>9} {around:>19} {should:>10}  {word}", row.target.what)?;
    }
    for (row, why) in rows.iter().filter_map(|row| Some((row, row.in_the_way?))) {
        write!(text, "\n{}: {why}", row.target.what)?;
    }
    Ok(text + "\n")
}

/// Prints the document, or the same for a program.
pub(super) fn document(folder: &Path, revocation: Option<&Path>, shape: Shape) -> Outcome {
    let revocations = revocation.map(read).transpose()?;
    let document = Document::new(BenchFigures::read(folder)?, revocations);
    let mut out = std::io::stdout().lock();
    match shape {
        Shape::Markdown => write!(out, "{document}")?,
        Shape::Json => writeln!(out, "{}", serde_json::to_string_pretty(&document.figures())?)?,
    }
    Ok(())
}

fn read(path: &Path) -> Result<StalenessChapter, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{} is not a report of lab revocation --format json: {error}", path.display()))
}
