//! Logins that are opened while the user logs out everywhere: what came before is gone, what comes after is good, and
//! what falls between is one or the other, everywhere and for ever.

use std::time::Instant;

use jwt_vs_session::auth::{Credentials, Grant, RevokeScope};
use jwt_vs_session::identity::{Device, Subject};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::races::answered;
use super::subjects::{Bench, Tested};

const ROUNDS: usize = 25;

/// Logins that are opened meanwhile on each node, one after the other.
const SERIES: usize = 4;

/// And so many at once.
const AT_ONCE: usize = 2;

const MEANWHILE: usize = 2 * AT_ONCE * SERIES;

#[tokio::test(flavor = "multi_thread")]
async fn a_login_during_a_log_out_everywhere_is_ended_or_is_not_for_ever_and_on_every_node() {
    let bench = Bench::start().await;
    for (here, there) in bench.pairs().into_iter().filter(|(here, _)| ends_all(here)) {
        let (mut known, mut went_on) = (Vec::new(), 0);
        for _ in 0..ROUNDS {
            let who = bench.alice().await;
            let before = [here.log_in(&who).await, there.log_in(&who).await];
            // What a node has in its memory must go as well.
            assert!(goes_on(&here, &before[1]).await && goes_on(&there, &before[0]).await, "{}", here.name);
            let (meanwhile, done) = open_meanwhile(&here, &there, &who, &before[0]).await;
            let after = [here.log_in(&who).await, there.log_in(&who).await];
            for grant in before {
                assert!(!agreed(&here, &there, &grant, done).await, "{}: it was open before", here.name);
                known.push((grant, false));
            }
            for grant in after {
                assert!(agreed(&here, &there, &grant, done).await, "{}: it was opened after", here.name);
                known.push((grant, true));
            }
            for grant in meanwhile {
                let on = agreed(&here, &there, &grant, done).await;
                went_on += usize::from(on);
                known.push((grant, on));
            }
            assert_listed(&here, &who, &known[known.len() - 4 - MEANWHILE..]).await;
        }
        eprintln!("{}: of {} logins in {ROUNDS} log outs everywhere {went_on} go on", here.name, MEANWHILE * ROUNDS);
        assert_nothing_changes(&here, &there, &known).await;
    }
}

/// Whether a log out everywhere ends anything: at once, or when the login is to be renewed.
fn ends_all(subject: &Tested) -> bool {
    subject.ends_at_once() || subject.strategy.describe().transport.refresh_cookie.is_some()
}

/// Whether a login goes on. Where only a renewal can tell, it is renewed; within the grace that changes nothing.
async fn goes_on(node: &Tested, grant: &Grant) -> bool {
    let credential = Some(grant.credential.expose_secret().to_owned());
    let renewal = grant.renewal.as_ref().map(|renewal| renewal.credential.expose_secret().to_owned());
    let credentials = Credentials::new(credential).with_renewal(renewal);
    loop {
        let on = if grant.renewal.is_some() {
            answered(node.strategy.renew(&credentials, &Trace::default()).await).map(|found| found.is_some())
        } else {
            answered(node.strategy.identify(&credentials, &Trace::default()).await).map(|found| found.is_some())
        };
        if let Some(on) = on {
            return on;
        }
    }
}

/// Opens logins on both nodes while the first one logs out everywhere, and says when that was answered.
async fn open_meanwhile(here: &Tested, there: &Tested, who: &Subject, asks: &Grant) -> (Vec<Grant>, Instant) {
    let mut opened = JoinSet::new();
    for node in [here, there].into_iter().cycle().take(2 * AT_ONCE) {
        let (strategy, who) = (node.strategy.clone(), who.clone());
        opened.spawn(async move {
            let mut series = Vec::new();
            while series.len() < SERIES {
                series.extend(answered(strategy.issue(&who, &Device::default(), &Trace::default()).await));
            }
            series
        });
    }
    let (strategy, identity) = (here.strategy.clone(), asks.identity.clone());
    let end = tokio::spawn(async move {
        while answered(strategy.revoke(&identity, RevokeScope::Everywhere, &Trace::default()).await).is_none() {}
        Instant::now()
    });
    (opened.join_all().await.into_iter().flatten().collect(), end.await.expect("an answer"))
}

/// Whether a login goes on, which both nodes say alike; the other one within its bound.
async fn agreed(here: &Tested, there: &Tested, grant: &Grant, done: Instant) -> bool {
    let on = goes_on(here, grant).await;
    let bound = there.bound().unwrap_or_default();
    loop {
        let asked = Instant::now();
        if goes_on(there, grant).await == on {
            return on;
        }
        assert!(asked - done <= bound, "{}: the other node says {}, after {:?}", there.name, !on, asked - done);
        tokio::task::yield_now().await;
    }
}

/// The list of devices names those that go on, where there is one.
async fn assert_listed(node: &Tested, who: &Subject, known: &[(Grant, bool)]) {
    let Some(mut listed) = node.logins(who).await else { return };
    let on = known.iter().filter(|(_, on)| *on);
    let mut expected: Vec<_> = on.map(|(grant, _)| grant.identity.login.clone()).collect();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected, "{}", node.name);
}

/// Neither by itself nor by a bound that has passed; and the next log out everywhere finds every login.
async fn assert_nothing_changes(here: &Tested, there: &Tested, known: &[(Grant, bool)]) {
    tokio::time::sleep(there.bound().unwrap_or_default()).await;
    for (grant, on) in known {
        for node in [here, there] {
            assert_eq!(goes_on(node, grant).await, *on, "{}: it was agreed otherwise", node.name);
        }
    }
    for (grant, _) in known {
        here.revoke(grant, RevokeScope::Everywhere).await;
    }
    tokio::time::sleep(there.bound().unwrap_or_default()).await;
    for (grant, _) in known {
        for node in [here, there] {
            assert!(!goes_on(node, grant).await, "{}: a log out everywhere did not find it", node.name);
        }
    }
}
