//! The limits of tries from one network and of failed tries on one account. `docs/login-limits.md` explains them.
//!
//! `bucket.rs` counts the tries of a network, on this node. `place.rs` lets a try wait for those before it. `password.rs`
//! checks a password within all limits.
//! `crate::store::login_failures` counts the failures of an account, in the database.

mod bucket;
mod password;
mod place;

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use self::bucket::Buckets;
pub(super) use self::password::{Origin, PasswordTry};
use self::place::{FailureBuckets, NoPlace, TryPlace};
use crate::account::{HashError, KnownBrowsers};
use crate::clock::Clock;
use crate::config::LoginRate;
use crate::error::Error;
use crate::network::network;
use crate::store::Sql;
use crate::store::login_failures::LoginFailures;
use crate::store::users::User;

/// Tries for each failure that a network may make: the right password costs a hash, too. Many people share one network.
const TRIES_PER_FAILURE: u32 = 10;

/// Accounts whose passwords are checked at once.
const TURNS: usize = 256;

/// The longest that a try waits for those before it from the same network, and for the one before it on the same account.
const TURN_TIMEOUT: Duration = Duration::from_secs(2);

/// The limits of a node. `None` allows everything, and costs nothing.
#[derive(Debug)]
pub struct RateLimits(Option<Limiters>);

#[derive(Debug)]
struct Limiters {
    /// Everything that costs a hash: log ins, registrations, password changes, starts of a lab.
    tries: Buckets,
    /// Wrong passwords and registrations.
    failures: FailureBuckets,
    renewals: Buckets,
    login_failures: LoginFailures,
    known_browsers: KnownBrowsers,
    turns: Turns,
}

impl RateLimits {
    /// `rate` is that of failures. Starts a task that deletes old counts: needs a tokio runtime.
    pub fn new(rate: LoginRate, clock: &Clock, sql: Sql, known_browsers: KnownBrowsers) -> Self {
        let LoginRate::Limited(count, period) = rate else { return Self(None) };
        let buckets = |count: NonZeroU32| Buckets::new(count, period, clock.clone());
        let tries = count.saturating_mul(NonZeroU32::MIN.saturating_add(TRIES_PER_FAILURE - 1));
        Self(Some(Limiters {
            tries: buckets(tries),
            failures: FailureBuckets::new(buckets(count)),
            renewals: buckets(tries),
            login_failures: LoginFailures::sweeping(sql, clock.clone()),
            known_browsers,
            turns: Turns::default(),
        }))
    }

    /// Whether there are limits.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Counts a registration. It depends on nothing but the address, so it uses up nobody's account.
    pub async fn check_registration(&self, address: IpAddr) -> Result<(), Error> {
        self.check_try(address)?;
        let Some(limits) = &self.0 else { return Ok(()) };
        limits.place(network(address)).await.map(drop)
    }

    /// Counts a try that is going to cost a hash, before it costs anything.
    pub fn check_try(&self, address: IpAddr) -> Result<(), Error> {
        let Some(limits) = &self.0 else { return Ok(()) };
        limits.tries.take(network(address)).map_err(too_many)
    }

    /// Counts a renewal by JSON. Pages renew without a limit: no one guesses a token of 128 random bits, and the limit
    /// only protects the database from the work.
    pub fn check_renewal(&self, address: IpAddr) -> Result<(), Error> {
        let Some(limits) = &self.0 else { return Ok(()) };
        limits.renewals.take(network(address)).map_err(too_many)
    }

    /// A new account begins without the failures of those who tried its name before it existed.
    pub async fn forget_failures(&self, folded_name: &str) -> Result<(), Error> {
        let Some(limits) = &self.0 else { return Ok(()) };
        Ok(limits.login_failures.clear(folded_name).await?)
    }

    /// The value of the cookie by which the server knows the browser again, after a login.
    pub fn remember_browser(&self, cookie: Option<&str>, user: &User) -> Option<String> {
        self.0.as_ref()?.known_browsers.remember(cookie, user.id, &user.password_hash)
    }
}

impl Limiters {
    /// Takes a place among the failures of a network.
    async fn place(&self, network: IpAddr) -> Result<TryPlace<'_>, Error> {
        self.failures.place(network, TURN_TIMEOUT).await.map_err(|refused| match refused {
            NoPlace::Full(retry) => too_many(retry),
            NoPlace::Busy => Error::Hash(HashError::Busy),
        })
    }
}

fn too_many(retry: Duration) -> Error {
    Error::TooManyTries { retry }
}

/// Lets the tries on one account take turns. Each counts as a failure until its password is checked: without turns, a few
/// people who log in to one account at the same moment would look like an attack.
#[derive(Debug)]
struct Turns {
    /// Nobody can choose a name that shares the turns of another one: the keys of the hash are random.
    hasher: RandomState,
    locks: Box<[Mutex<()>]>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { hasher: RandomState::new(), locks: std::iter::repeat_with(Mutex::default).take(TURNS).collect() }
    }
}

impl Turns {
    async fn wait(&self, account: &impl std::hash::Hash) -> Result<MutexGuard<'_, ()>, Error> {
        #[allow(clippy::cast_possible_truncation)] // any bits will do
        let lock = &self.locks[self.hasher.hash_one(account) as usize % TURNS];
        let turn = tokio::time::timeout(TURN_TIMEOUT, lock.lock()).await;
        turn.map_err(|_| Error::Hash(HashError::Busy))
    }
}
