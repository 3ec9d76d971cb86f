//! WHO the users are: names, passwords and their hashes, the browsers that they know.

mod guessable;
mod hasher;
mod known_browsers;
mod name;
mod password;

pub use self::hasher::{HashError, Hasher};
pub use self::known_browsers::KnownBrowsers;
pub use self::name::{InvalidName, UserName};
pub use self::password::{NewPassword, RejectedPassword};
