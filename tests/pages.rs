//! The pages and JSON routes of every mount over TCP, against a real Redis and a real database.
//!
//! No test names a strategy: the server lists the mounts, and their descriptions say what may differ.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)] // figures are printed

mod common;

mod pages {
    mod altered_credentials;
    mod assets;
    mod client;
    mod compression;
    mod cookies;
    mod cross_site;
    mod database_down;
    mod demo;
    mod devices;
    mod documents;
    mod doubled_credentials;
    mod ended_users;
    mod events;
    mod framing;
    mod headers;
    mod hosts;
    mod json;
    mod known_browsers;
    mod limits;
    mod lockout;
    mod login;
    mod login_failures;
    mod logout;
    mod markup;
    mod methods;
    mod names_and_passwords;
    mod operation;
    mod outage;
    mod password_change;
    mod password_races;
    mod redis_calls;
    mod redis_down;
    mod server;
    mod shared_address;
    mod templates;
    mod trace;
    mod users;
}
