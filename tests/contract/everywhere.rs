//! Logins that are opened while the user logs out everywhere. The server revokes the older ones and accepts the later
//! ones. Those in between it either accepts or refuses, on every node and for ever.

use std::time::Instant;

use jwt_vs_session::auth::{Credentials, Grant, RevokeScope};
use jwt_vs_session::identity::{ClientOrigin, Device, Subject};
use jwt_vs_session::trace::Trace;
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::fixture::Fixture;
use super::races::answered;
use super::strategy_under_test::StrategyUnderTest;

const ROUNDS: usize = 25;

/// Logins that are opened meanwhile on each node, one after the other.
const SERIES: usize = 4;

/// Tasks on each node that open logins at once.
const AT_ONCE: usize = 2;

const MEANWHILE: usize = 2 * AT_ONCE * SERIES;

pub async fn a_login_opened_during_a_log_out_everywhere_has_one_outcome_on_every_node(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let (here, there) = (node.clone(), fixture.other_node(&node).await);
    let mut known = Vec::new();
    for _ in 0..ROUNDS {
        let who = fixture.alice().await;
        let before = [here.log_in(&who).await, there.log_in(&who).await];
        // Both nodes then have both logins in memory.
        assert!(goes_on(&here, &before[1]).await && goes_on(&there, &before[0]).await);
        let (meanwhile, done) = open_meanwhile(&here, &there, &who, &before[0]).await;
        let after = [here.log_in(&who).await, there.log_in(&who).await];
        for grant in before {
            assert!(!agreed(&here, &there, &grant, done).await, "it was open before");
            known.push((grant, false));
        }
        for grant in after {
            assert!(agreed(&here, &there, &grant, done).await, "it was opened after");
            known.push((grant, true));
        }
        for grant in meanwhile {
            let on = agreed(&here, &there, &grant, done).await;
            known.push((grant, on));
        }
        assert_listed(&here, &who, &known[known.len() - 4 - MEANWHILE..]).await;
    }
    assert_nothing_changes(&here, &there, &known).await;
}

/// Whether a login still stands. Where only a renewal can tell, this renews it: within the grace nothing changes.
pub async fn goes_on(node: &StrategyUnderTest, grant: &Grant) -> bool {
    let credential = Some(grant.credential.expose_secret().to_owned());
    let renewal = grant.renewal.as_ref().map(|renewal| renewal.credential.expose_secret().to_owned());
    let credentials = Credentials::new(credential).with_renewal(renewal);
    loop {
        let on = if grant.renewal.is_some() {
            let renewed = node.strategy.renew(&credentials, &ClientOrigin::default(), &Trace::default()).await;
            answered(renewed).map(|outcome| outcome.grant().is_some())
        } else {
            answered(node.strategy.identify(&credentials, &Trace::default()).await).map(|found| found.is_some())
        };
        if let Some(on) = on {
            return on;
        }
    }
}

/// Opens logins on both nodes while the first node revokes every login. Returns when that revoke was answered.
async fn open_meanwhile(
    here: &StrategyUnderTest,
    there: &StrategyUnderTest,
    who: &Subject,
    by: &Grant,
) -> (Vec<Grant>, Instant) {
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
    let (strategy, identity) = (here.strategy.clone(), by.identity.clone());
    let end = tokio::spawn(async move {
        while answered(strategy.revoke(&identity, RevokeScope::Everywhere, &Trace::default()).await).is_none() {}
        Instant::now()
    });
    (opened.join_all().await.into_iter().flatten().collect(), end.await.expect("an answer"))
}

/// Whether a login still stands. Both nodes must agree, the other one within its bound.
async fn agreed(here: &StrategyUnderTest, there: &StrategyUnderTest, grant: &Grant, done: Instant) -> bool {
    let on = goes_on(here, grant).await;
    let bound = there.bound().unwrap_or_default();
    loop {
        let begun = Instant::now();
        if goes_on(there, grant).await == on {
            return on;
        }
        assert!(begun - done <= bound, "the other node says {}, after {:?}", !on, begun - done);
        tokio::task::yield_now().await;
    }
}

/// The list of devices, where there is one, names the logins that still stand.
async fn assert_listed(node: &StrategyUnderTest, who: &Subject, known: &[(Grant, bool)]) {
    let Some(mut listed) = node.logins(who).await else { return };
    let on = known.iter().filter(|(_, on)| *on);
    let mut expected: Vec<_> = on.map(|(grant, _)| grant.identity.login.clone()).collect();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
}

/// No outcome changes when the bound passes, and the next log out everywhere revokes every login.
async fn assert_nothing_changes(here: &StrategyUnderTest, there: &StrategyUnderTest, known: &[(Grant, bool)]) {
    tokio::time::sleep(there.bound().unwrap_or_default()).await;
    for (grant, on) in known {
        for node in [here, there] {
            assert_eq!(goes_on(node, grant).await, *on, "the outcome changed");
        }
    }
    for (grant, _) in known {
        here.revoke(grant, RevokeScope::Everywhere).await;
    }
    tokio::time::sleep(there.bound().unwrap_or_default()).await;
    for (grant, _) in known {
        for node in [here, there] {
            assert!(!goes_on(node, grant).await, "accepted after the next log out everywhere");
        }
    }
}
