//! When a login ends by itself, to the millisecond, on a clock that the test moves.

use jwt_vs_session::store::sessions::LoginRecord;
use secrecy::ExposeSecret;

use super::subjects::{ABSOLUTE, Bench, LIFE, TICK, identify, stored_login};

#[tokio::test]
async fn a_login_that_is_not_used_is_over_exactly_when_it_said() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let (used, unused) = (subject.log_in(&bench.alice().await).await, subject.log_in(&bench.alice().await).await);
        bench.go_to(used.identity.expires_at - TICK);
        assert!(subject.accepts(&used).await, "{}: refused a millisecond early", subject.name);
        bench.go_to(unused.identity.expires_at);
        assert!(!subject.accepts(&unused).await, "{}: accepted at its expiry", subject.name);
        bench.clock.advance(LIFE * 100);
        assert!(!subject.accepts(&unused).await, "{}: accepted long after", subject.name);
    }
}

/// A token signed with the same key for a longer life; a record written under a longer limit.
#[tokio::test]
async fn a_shortened_limit_counts_for_logins_of_before() {
    let bench = Bench::start().await;
    for subject in bench.subjects() {
        let stricter = (subject.living)(LIFE / 2);
        let (used, unused) = (subject.log_in(&bench.alice().await).await, subject.log_in(&bench.alice().await).await);
        let end = used.identity.issued_at + LIFE / 2;
        bench.go_to(end - TICK);
        assert!(identify(stricter.as_ref(), used.credential.expose_secret()).await.is_some(), "{}", subject.name);
        bench.go_to(end);
        let refused = identify(stricter.as_ref(), unused.credential.expose_secret()).await;
        assert_eq!(refused, None, "{}: older than the limit of today", subject.name);
        assert!(subject.accepts(&unused).await, "{}: the longer limit still holds elsewhere", subject.name);
    }
}

#[tokio::test]
async fn a_session_in_use_outlives_the_idle_limit_and_says_until_when() {
    let bench = Bench::start().await;
    for (subject, _) in bench.with_records() {
        let grant = subject.log_in(&bench.alice().await).await;
        for _ in 0..4 {
            bench.go_to(bench.clock.now() + LIFE - TICK);
            let found = subject.identify(&grant.credential).await.expect("still logged in");
            assert_eq!(found.expires_at, bench.clock.now() + LIFE, "{}", subject.name);
            assert_eq!(found.issued_at, grant.identity.issued_at, "{}", subject.name);
        }
        bench.clock.advance(LIFE);
        assert!(!subject.accepts(&grant).await, "{}: the idle limit does not count", subject.name);
    }
}

#[tokio::test]
async fn a_session_that_is_always_used_ends_at_the_absolute_limit() {
    let bench = Bench::start().await;
    for (subject, _) in bench.with_records() {
        let grant = subject.log_in(&bench.alice().await).await;
        assert_eq!(grant.max_age, ABSOLUTE, "{}", subject.name);
        let end = grant.identity.issued_at + ABSOLUTE;
        while bench.clock.now() + LIFE / 3 < end {
            bench.clock.advance(LIFE / 3);
            let found = subject.identify(&grant.credential).await.expect("still logged in");
            assert!(found.expires_at <= end, "{}: promises more than the absolute limit", subject.name);
            if bench.clock.now() == grant.identity.issued_at + ABSOLUTE / 2 {
                let stricter = (subject.living)(LIFE / 2);
                let refused = identify(stricter.as_ref(), grant.credential.expose_secret()).await;
                assert_eq!(refused, None, "{}: a shortened absolute limit does not count", subject.name);
            }
        }
        bench.go_to(end - TICK);
        assert!(subject.accepts(&grant).await, "{}: refused a millisecond early", subject.name);
        bench.go_to(end);
        assert!(!subject.accepts(&grant).await, "{}: the absolute limit does not count", subject.name);
    }
}

#[tokio::test]
async fn using_a_session_writes_at_most_once_in_a_tenth_of_the_idle_limit() {
    let bench = Bench::start().await;
    for (subject, store) in bench.with_records() {
        let grant = subject.log_in(&bench.alice().await).await;
        let mut seen = vec![stored_login(&store, &grant).await.seen];
        for _ in 0..200 {
            bench.clock.advance(LIFE / 100);
            assert!(subject.accepts(&grant).await, "{}", subject.name);
            seen.push(stored_login(&store, &grant).await.seen);
        }
        seen.dedup();
        assert_eq!(seen.len() - 1, 20, "{}: writes in two idle limits", subject.name);
        let pauses = seen.windows(2).map(|pair| pair[1].since(pair[0]));
        assert!(pauses.min() >= Some(LIFE / 10), "{}: two writes too close", subject.name);
    }
}

#[tokio::test]
async fn the_sliding_write_comes_at_a_tenth_of_the_idle_limit_and_not_before() {
    let bench = Bench::start().await;
    for (subject, store) in bench.with_records() {
        let grant = subject.log_in(&bench.alice().await).await;
        let written = stored_login(&store, &grant).await;
        bench.go_to(bench.clock.now() + LIFE / 10 - TICK);
        assert!(subject.accepts(&grant).await, "{}", subject.name);
        assert_eq!(stored_login(&store, &grant).await, written, "{}: written too early", subject.name);
        bench.clock.advance(TICK);
        assert!(subject.accepts(&grant).await, "{}", subject.name);
        let now = bench.clock.now();
        let slid = LoginRecord { seen: now, expires: now + LIFE, ..written };
        assert_eq!(stored_login(&store, &grant).await, slid, "{}", subject.name);
    }
}
