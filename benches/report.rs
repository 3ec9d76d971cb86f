//! Reports on the last run of the benches: `cargo bench --bench report`. It measures nothing itself.
//!
//! Without a command it prints how the run compares with the targets. `-- figures --revocation FILE` prints
//! `docs/figures.md`, and with `--format json` `docs/figures.json`.

#[path = "report/mod.rs"]
mod report;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use self::report::command::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.run(&mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}
