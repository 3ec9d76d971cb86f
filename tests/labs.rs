//! The experiments as pages, over TCP with a real Redis: the form, the stream of events, and who may start one.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod common;

mod labs {
    mod admission;
    mod cost;
    mod cost_failures;
    mod lost_push;
    mod plain_variants;
    mod revocation;
}
