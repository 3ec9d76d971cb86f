//! WHO the users are: names, passwords and the hashes of passwords.

mod guessable;
mod hasher;
mod name;
mod password;

pub use self::hasher::{HashError, Hasher};
pub use self::name::{InvalidName, UserName};
pub use self::password::{NewPassword, RejectedPassword};
