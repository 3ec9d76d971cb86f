//! The pages and JSON routes of every mount over TCP, against a real Redis and a real database.
//!
//! No test asks for a strategy's name: the mounts come from the server, and what may differ from what each says of
//! itself.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)] // figures are printed

mod common;

mod pages {
    mod answers;
    mod cookies;
    mod cross_site;
    mod database;
    mod demo;
    mod devices;
    mod documents;
    mod ending;
    mod entry;
    mod events;
    mod forgeries;
    mod json;
    mod limits;
    mod markup;
    mod names;
    mod operation;
    mod outage;
    mod passwords;
    mod redis_away;
    mod redis_calls;
    mod stage;
    mod trace;
    mod visitor;
}
