//! Opaque session ids: the browser keeps 128 random bits, the server keeps everything else.
//!
//! `opaque.rs` is the strategy, over any store. `shared.rs` (`session`), `memory.rs`, `sql.rs` and `tracked.rs` describe it
//! for one store each. `limits.rs` says how long a session lives.

mod limits;
mod memory;
mod opaque;
mod shared;
mod sql;
mod tracked;

pub use self::limits::SessionLimits;
pub use self::opaque::SessionStrategy;
use super::Transport;

/// How every session id travels: in a cookie alone.
const TRANSPORT: Transport = Transport { cookie: "id", refresh_cookie: None, bearer: false };

const BROWSER_HOLDS: &str = "128 random bits that mean nothing: the server finds the record by them.";

const DEVICES: &str = "The server keeps a record of each login, so it can list them and revoke one.";

const LOGOUT: &str = "Revokes this login at once: the server deletes the record, and refuses the old cookie.";

const LOGOUT_EVERYWHERE: &str = "Revokes every login of yours under this mount at once.";

const PASSWORD_CHANGE: &str = "Revokes every other login of yours under this mount at once.";
