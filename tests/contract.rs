//! The contract suite over every strategy of the server. `cargo test --test contract -- session-sql` runs it for one.

mod common;
#[path = "contract/mod.rs"]
mod contract;

use std::process::ExitCode;

use jwt_vs_session::app::STRATEGIES;
use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let mut tests = contract::suite::tests_of(STRATEGIES);
    tests.push(contract::suite::every_check_applies_to_a_strategy(&tests));
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}
