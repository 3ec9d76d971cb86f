//! Signed tokens: the browser keeps the whole login, the server keeps a key.
//!
//! `plain.rs` is the strategy `jwt`. The others add a way to revoke: `blocklist.rs` and `pushed.rs` (both on
//! `revocable.rs`), `generation.rs`, `refresh.rs`. All of them sign and check by `tokens.rs`. `claims.rs` is what a token
//! says, `check.rs` every rule by which the server accepts one. `keys.rs` holds the keys, each a `token_key.rs` for an
//! algorithm of `algorithm.rs`; `key_file.rs` makes and reads their files; `verifier.rs` checks signatures. `oracle.rs`
//! compares these rules with those of jsonwebtoken, on the tokens of `oracle_tokens.rs`.

mod algorithm;
mod blocklist;
mod check;
mod claims;
mod generation;
mod key_error;
mod key_file;
mod keys;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod oracle_tokens;
mod plain;
mod pushed;
mod refresh;
mod revocable;
mod token_key;
mod tokens;
mod verifier;

pub use self::algorithm::SigningAlgorithm;
pub use self::generation::JwtGenerationStrategy;
pub use self::key_error::KeysError;
pub use self::keys::Keys;
pub use self::plain::JwtStrategy;
pub use self::refresh::JwtRefreshStrategy;
pub use self::revocable::RevocableJwtStrategy;
use super::Transport;

/// How every token travels: in a cookie, or in `Authorization: Bearer` (RFC 6750, 2.1).
const TRANSPORT: Transport = Transport { cookie: "access_token_cookie", refresh_cookie: None, bearer: true };

/// What the browser holds under every strategy whose token lives long.
const BROWSER_HOLDS: &str = "The whole login: who you are and until when. It is signed, and everybody who has it can read \
    it.";
