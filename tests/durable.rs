//! A revoked login stays revoked: Redis restarted empty or from a snapshot, keys evicted, the push channel cut, Redis stopped.
#![allow(clippy::expect_used, clippy::print_stdout)]

mod common;

mod durable {
    mod channel;
    mod eviction;
    mod restart;
    mod stores;
}
