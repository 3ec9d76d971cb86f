//! What every strategy promises, on every store: each check is a test of its own for each strategy.
//!
//! No check names a strategy: what may differ is in what a strategy says of itself.
#![allow(clippy::expect_used, clippy::unwrap_used)]

pub mod checks;
mod everywhere;
mod expiry;
mod fixture;
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
mod replacement;
mod revocation;
mod silence;
mod slow;
mod strategy_under_test;
pub mod suite;
mod two_nodes;
mod upkeep;
mod variants;
