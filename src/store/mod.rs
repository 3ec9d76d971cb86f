//! WHERE things live: the SQL database, Redis, this process. Nothing above this module speaks SQL or Redis.
//!
//! `sql/` and `redis/` are the two connections, each with a time limit around every call. On them stand the tables:
//! `users.rs`, `ended_users/` (whose logins must end), `sessions/` (the records behind session ids), `revocations/` (revoked
//! tokens and sessions), `refresh/` (refresh tokens), `login_failures/` (failed tries to log in) and `migrations/` (the
//! schema). `push_channel.rs` is the connection over which Redis pushes changes,
//! `private_redis.rs` a Redis of this server's own. `floors.rs`, `footprint.rs` and `latency.rs` serve the labs.
//! `error.rs` is the failure of a store, `sweeper.rs` deletes expired rows, `random.rs` draws secrets, `secret_file.rs`
//! reads a password from a file.

pub mod ended_users;
mod error;
mod floors;
mod footprint;
pub(crate) mod latency;
pub mod login_failures;
mod migrations;
mod private_redis;
mod push_channel;
mod random;
mod redis;
pub mod refresh;
pub mod revocations;
mod secret_file;
pub mod sessions;
mod sql;
mod sweeper;
pub mod users;

pub use self::error::StoreError;
pub use self::floors::Floors;
pub use self::footprint::Footprint;
pub use self::private_redis::PrivateRedis;
pub use self::push_channel::PUSH_BOUND;
pub use self::random::random_secret;
pub use self::redis::{Redis, RedisUrl, RedisUrlError};
pub use self::secret_file::{PasswordFileError, is_readable_by_others, read_password};
pub use self::sql::{Sql, SqlUrl, SqlUrlError};
