//! The strategy of `docs/tenth-strategy.md`: it passes the contract suite, and a server serves its pages.
#![allow(clippy::expect_used)]

mod common;
#[path = "contract/mod.rs"]
mod contract;
mod tenth_strategy {
    pub mod entry;
    pub mod pages;
    pub mod walk_through;
}

/// As in the server: the file of the strategy is, unchanged, the file of the walk-through.
#[path = "tenth_strategy"]
mod auth {
    pub use jwt_vs_session::auth::{
        AuthStrategy, Backend, CredentialKind, Credentials, Description, Effect, Failure, Grant, Identity, Keys, Login,
        Promise, Result, RevokeScope, Texts, Transport,
    };

    pub mod sealed_cookie;
}

use std::process::ExitCode;

use jwt_vs_session::{clock, identity, trace};
use libtest_mimic::{Arguments, Trial};

use self::contract::suite::tests_of;
use self::tenth_strategy::{entry, pages, walk_through};

fn main() -> ExitCode {
    let mut tests = tests_of(entry::TENTH);
    let own: [(&str, fn()); 3] = [
        (
            "tenth_strategy::the_walk_through_shows_the_tested_code",
            walk_through::the_walk_through_shows_the_tested_code,
        ),
        ("tenth_strategy::the_server_mounts_the_tenth_strategy", pages::the_server_mounts_the_tenth_strategy),
        ("tenth_strategy::two_strategies_of_one_name_are_refused", pages::two_strategies_of_one_name_are_refused),
    ];
    tests.extend(own.map(|(name, run)| {
        Trial::test(name, move || {
            run();
            Ok(())
        })
    }));
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}
