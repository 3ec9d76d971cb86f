//! The built program from outside: how it starts, why it refuses to, how it stops, and what it does under a flood of logins.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)] // figures are printed

mod common;

mod process {
    mod commands;
    mod connections;
    mod exposure;
    mod files;
    mod flood;
    mod help;
    mod key_rotation;
    mod keys;
    mod outage_log;
    mod patience;
    mod postgres_tls;
    mod program;
    mod proxies;
    mod refusals;
    mod security_log;
    mod start;
    mod stop;
    mod terminal;
    mod users;
}
