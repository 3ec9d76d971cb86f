//! The list of the server, and the tenth strategy behind it.

use std::path::Path;

use jwt_vs_session::app::{STRATEGIES, StrategyEntry};

/// The line that `docs/tenth-strategy.md` adds to the list.
#[rustfmt::skip] // one line, as in the list
pub static TENTH: &[StrategyEntry] = &[
    |node| crate::auth::sealed_cookie::SealedCookieStrategy::new(&node.keys, node.life, node.clock.clone()).into(),
];

/// Everything that a server mounts then. A reader who has followed the page has it in the list already.
pub fn all_ten() -> &'static [StrategyEntry] {
    let followed = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/auth/sealed_cookie.rs").exists();
    if followed { STRATEGIES } else { [STRATEGIES, TENTH].concat().leak() }
}
