//! Parses the command line and runs it.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    jwt_vs_session::cli::run().await
}
