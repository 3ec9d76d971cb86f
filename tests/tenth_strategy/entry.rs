//! The list of the server, and the tenth strategy behind it.

use jwt_vs_session::app::{STRATEGIES, StrategyEntry};

/// The line that `docs/tenth-strategy.md` adds to the list.
#[rustfmt::skip] // one line, as in the list
pub static TENTH: &[StrategyEntry] = &[
    |node| crate::auth::sealed_cookie::SealedCookieStrategy::new(&node.keys, node.life, node.clock.clone()).into(),
];

/// Everything that a server mounts then.
pub fn all_ten() -> &'static [StrategyEntry] {
    [STRATEGIES, TENTH].concat().leak()
}
