//! Limits how often an address or an account may log in, register or change its password, and an address renew.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::LoginRate;
use crate::error::Error;
use crate::network::network;

/// After this many attempts the limiter drops full quotas, so that made-up names do not fill the memory.
const TIDY_EVERY: u32 = 1024;

/// Renewals for each login that an address may try. Many people share one address, and their programs renew every minute.
/// No one guesses a token of 128 random bits: the limit protects the database from the work.
const RENEWALS_PER_LOGIN: u32 = 10;

/// The limits of a node. `None` allows everything.
#[derive(Debug)]
pub struct RateLimits(Option<Limiters>);

#[derive(Debug)]
struct Limiters {
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    by_account: DefaultKeyedRateLimiter<String>,
    renewals: DefaultKeyedRateLimiter<IpAddr>,
    tries: AtomicU32,
}

impl RateLimits {
    /// Applies the same rate to addresses and to accounts. The tries of a whole period may come at once.
    pub fn new(rate: LoginRate) -> Self {
        let LoginRate::Limited(count, period) = rate else { return Self(None) };
        let quota = |count: NonZeroU32| Some(Quota::with_period(period / count.get())?.allow_burst(count));
        let renewals = count.saturating_mul(NonZeroU32::MIN.saturating_add(RENEWALS_PER_LOGIN - 1));
        let (Some(quota), Some(renewal_quota)) = (quota(count), quota(renewals)) else { return Self(None) };
        Self(Some(Limiters {
            by_address: RateLimiter::keyed(quota),
            by_account: RateLimiter::keyed(quota),
            renewals: RateLimiter::keyed(renewal_quota),
            tries: AtomicU32::new(0),
        }))
    }

    /// Counts a try. `account` is a folded name, known or not.
    pub fn check(&self, address: IpAddr, account: &str) -> Result<(), Error> {
        let Some(limits) = &self.0 else { return Ok(()) };
        limits.tidy();
        take(&limits.by_address, &network(address))?;
        // No name is longer: an overlong text must not take more memory.
        let account: String = account.chars().take(32).collect();
        take(&limits.by_account, &account)
    }

    /// Counts a renewal by JSON. Pages renew without a limit.
    pub fn check_renewal(&self, address: IpAddr) -> Result<(), Error> {
        let Some(limits) = &self.0 else { return Ok(()) };
        limits.tidy();
        take(&limits.renewals, &network(address))
    }
}

impl Limiters {
    fn tidy(&self) {
        if self.tries.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            self.by_address.retain_recent();
            self.by_account.retain_recent();
            self.renewals.retain_recent();
        }
    }
}

fn take<K: Clone + Eq + Hash>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), Error> {
    limiter.check_key(key).map_err(|not_until| {
        let retry: Duration = not_until.wait_time_from(DefaultClock::default().now());
        Error::TooManyTries { retry }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_and_an_account_have_a_limit_each() {
        let limits = RateLimits::new("2/h".parse().expect("a rate"));
        let (here, there) = (address("192.0.2.1"), address("192.0.2.2"));
        assert!(limits.check(here, "alice").is_ok());
        assert!(limits.check(here, "bob").is_ok());
        assert!(matches!(limits.check(here, "carol"), Err(Error::TooManyTries { .. })), "the address is used up");
        assert!(limits.check(there, "alice").is_ok());
        assert!(
            matches!(limits.check(address("192.0.2.3"), "alice"), Err(Error::TooManyTries { .. })),
            "the account is"
        );
    }

    #[test]
    fn a_customers_ipv6_addresses_count_as_one() {
        let limits = RateLimits::new("1/h".parse().expect("a rate"));
        assert!(limits.check(address("2001:db8:1:2::1"), "a").is_ok());
        assert!(limits.check(address("2001:db8:1:2:ffff::9"), "b").is_err());
        assert!(limits.check(address("2001:db8:1:3::1"), "c").is_ok());
    }
}
