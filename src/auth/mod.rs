//! HOW a login is remembered: the contract [`AuthStrategy`], and the two kinds of strategy that keep it.
//!
//! Read `strategy.rs` first, then `jwt/plain.rs` and `session/opaque.rs`. `description.rs` holds what differs between
//! strategies, as data that they return: nothing above this module compares a strategy's name.

mod description;
mod jwt;
mod session;
mod strategy;

pub use self::description::{Backend, CredentialKind, Description, Promise, Texts, Transport, Upkeep};
pub use self::jwt::{
    JwtGenerationStrategy, JwtRefreshStrategy, JwtStrategy, Keys, KeysError, RevocableJwtStrategy, SigningAlgorithm,
};
pub use self::session::{SessionLimits, SessionStrategy};
pub use self::strategy::{
    AuthStrategy, Credentials, Effect, Failure, Grant, Identity, Login, RenewOutcome, Renewal, Result, RevokeScope,
};
