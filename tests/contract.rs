//! What every strategy promises, on every store: one suite, run over the list in `contract/subjects.rs`.
//!
//! No test asks for a strategy's name: what may differ is taken from what a strategy says of itself.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod common;

mod contract {
    mod everywhere;
    mod expiry;
    mod forge;
    mod forged_claims;
    mod forged_form;
    mod garbage;
    mod keys;
    mod logins;
    mod outage;
    mod races;
    mod records;
    mod redis_keys;
    mod refresh;
    mod revocation;
    mod slow;
    mod subjects;
    mod tested;
    mod two_nodes;
}
