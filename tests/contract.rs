//! The contract suite over every strategy of the server. `cargo test --test contract -- ::session-sql` runs it for one;
//! with `FAIL_FAST` in the environment it ends at the first failure.

mod common;
#[path = "contract/mod.rs"]
mod contract;

use std::panic;
use std::process::{ExitCode, exit};

use jwt_vs_session::app::STRATEGIES;
use libtest_mimic::{Arguments, Trial};

use self::contract::checks::CHECKS;
use self::contract::suite::tests_of;

fn main() -> ExitCode {
    if std::env::var_os("FAIL_FAST").is_some() {
        end_at_the_first_panic();
    }
    let mut tests = tests_of(STRATEGIES);
    tests.push(every_check_applies_to_a_strategy(&tests));
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}

/// A mutant is killed by one failure: the rest of the suite would only cost time.
fn end_at_the_first_panic() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        report(panic);
        exit(101);
    }));
}

/// Fails if a check applies to no strategy: then nothing is tested by it.
fn every_check_applies_to_a_strategy(tests: &[Trial]) -> Trial {
    let applies = |check: &&str| tests.iter().any(|test| test.name().split("::").nth(1) == Some(check));
    let idle: Vec<_> = CHECKS.iter().map(|check| check.name).filter(|check| !applies(check)).collect();
    Trial::test("contract::every_check_applies_to_a_strategy", move || {
        if idle.is_empty() { Ok(()) } else { Err(format!("these checks apply to no strategy: {idle:?}").into()) }
    })
}
