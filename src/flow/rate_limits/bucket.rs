//! A leaky bucket for each network. It can return a try that was no failure, and runs on the clock of the server.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// Above this number of networks a try looks for empty buckets and drops them, once a period: under a flood from many
/// networks no bucket is empty yet, and every other try waits meanwhile.
const TIDY_ABOVE: usize = 4096;

/// The buckets of one limit. The tries of a whole period may come at once.
#[derive(Debug)]
pub(super) struct Buckets {
    /// The time in which a bucket loses one try.
    each: Duration,
    period: Duration,
    clock: Clock,
    filled: Mutex<FilledBuckets>,
}

/// Times since the Unix epoch.
#[derive(Debug, Default)]
struct FilledBuckets {
    /// When each bucket will be empty.
    empty_at: HashMap<IpAddr, Duration>,
    /// When to look for empty ones again.
    tidy_at: Duration,
}

impl Buckets {
    /// `count` tries in `period`.
    pub fn new(count: NonZeroU32, period: Duration, clock: Clock) -> Self {
        Self { each: period / count.get(), period, clock, filled: Mutex::default() }
    }

    /// Puts a try into the bucket of `network`. If it is full, returns when it takes the next one.
    pub fn take(&self, network: IpAddr) -> Result<(), Duration> {
        let now = self.now();
        let mut buckets = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.empty_at.len() > TIDY_ABOVE && now >= buckets.tidy_at {
            buckets.empty_at.retain(|_, empty_at| *empty_at > now);
            buckets.tidy_at = now + self.period;
        }
        let empty_at = buckets.empty_at.entry(network).or_insert(now);
        let filled = (*empty_at).max(now) + self.each;
        if filled > now + self.period {
            return Err(filled.saturating_sub(now + self.period));
        }
        *empty_at = filled;
        Ok(())
    }

    /// Takes a try out again.
    pub fn give_back(&self, network: IpAddr) {
        let mut buckets = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(empty_at) = buckets.empty_at.get_mut(&network) {
            *empty_at = empty_at.saturating_sub(self.each);
        }
    }

    fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.clock.now().as_millis()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn a_bucket_takes_its_count_and_leaks() {
        let clock = Clock::manual(Timestamp::from_millis(1_800_000_000_000));
        let buckets = Buckets::new(NonZeroU32::new(4).expect("not zero"), Duration::from_hours(1), clock.clone());
        let take = |number| buckets.take(address(number));
        assert_eq!([take(1), take(1), take(1), take(1)], [Ok(()); 4]);
        assert_eq!(take(1), Err(Duration::from_mins(15)));
        assert_eq!(take(2), Ok(()), "each network has its own");
        buckets.give_back(address(1));
        assert_eq!([take(1), take(1)], [Ok(()), Err(Duration::from_mins(15))]);
        clock.advance(Duration::from_mins(14));
        assert_eq!(take(1), Err(Duration::from_mins(1)));
        clock.advance(Duration::from_mins(1));
        assert_eq!([take(1), take(1)], [Ok(()), Err(Duration::from_mins(15))]);
    }

    #[test]
    fn what_is_given_back_twice_saves_nothing_for_later() {
        let clock = Clock::manual(Timestamp::from_millis(1_800_000_000_000));
        let buckets = Buckets::new(NonZeroU32::MIN, Duration::from_mins(1), clock);
        for _ in 0..3 {
            buckets.give_back(address(1));
        }
        assert_eq!([buckets.take(address(1)), buckets.take(address(1))], [Ok(()), Err(Duration::from_mins(1))]);
        buckets.give_back(address(1));
        buckets.give_back(address(1));
        assert_eq!([buckets.take(address(1)), buckets.take(address(1))], [Ok(()), Err(Duration::from_mins(1))]);
    }

    #[test]
    fn empty_buckets_are_dropped() {
        let clock = Clock::manual(Timestamp::from_millis(1_800_000_000_000));
        let buckets = Buckets::new(NonZeroU32::MIN, Duration::from_mins(1), clock.clone());
        for number in 0..5000 {
            assert_eq!(buckets.take(address(number)), Ok(()));
        }
        assert_eq!(
            buckets.filled.lock().expect("the buckets").tidy_at,
            buckets.now() + buckets.period,
            "not at every try"
        );
        clock.advance(Duration::from_mins(1));
        assert_eq!(buckets.take(address(0)), Ok(()));
        assert_eq!(buckets.filled.lock().expect("the buckets").empty_at.len(), 1);
    }
}
