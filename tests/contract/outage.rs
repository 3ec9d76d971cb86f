//! A store that is down: a strategy that needs it fails fast and neither accepts nor refuses. The others go on.

use std::time::Duration;

use futures_util::future::join_all;
use jwt_vs_session::auth::{Backend, Credentials, Failure, Grant, Promise, Result, RevokeScope};
use jwt_vs_session::identity::{Device, Subject};
use jwt_vs_session::trace::Trace;
use tokio::time::Instant;

use super::fixture::Fixture;
use super::strategy_under_test::StrategyUnderTest;
use crate::common::until;

/// CONTRACT: a store that is down is a 503 within a second.
const BOUND: Duration = Duration::from_secs(1);

pub async fn with_redis_killed_what_needs_it_fails_and_recovers_with_it(mut fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    fixture.redis_mut().kill();
    for _ in 0..2 {
        assert_outage(&node, &grant).await;
    }
    fixture.redis_mut().restart().await;
    assert_return(&node, &fixture.bob().await).await;
    if node.facts().backend != Backend::Redis {
        assert!(node.accepts(&grant).await, "it had nothing in Redis");
    } else if node.records.is_some() {
        assert!(!node.accepts(&grant).await, "Redis came back empty");
    }
}

pub async fn with_redis_frozen_what_needs_it_fails_and_recovers_with_it(fixture: Fixture, node: StrategyUnderTest) {
    let (kept, who) = (node.log_in(&fixture.alice().await).await, fixture.alice().await);
    let grant = node.log_in(&who).await;
    fixture.redis().freeze();
    for _ in 0..2 {
        assert_outage(&node, &grant).await;
    }
    fixture.redis().thaw();
    assert_return(&node, &who).await;
    assert!(node.accepts(&kept).await, "nothing was lost");
}

pub async fn a_redis_that_was_never_there_fails_and_works_once_it_comes(mut fixture: Fixture, node: StrategyUnderTest) {
    fixture.redis_mut().kill();
    let (node, who) = (node.another().await, fixture.alice().await);
    let failed = node.strategy.issue(&who, &Device::default(), &Trace::default()).await;
    assert!(matches!(failed, Err(Failure::Store(_))), "{failed:?}");
    fixture.redis_mut().restart().await;
    assert_return(&node, &who).await;
}

/// The clock of tokio goes ahead by itself: here everything waits for Redis.
pub async fn a_redis_that_stands_still_is_given_up_within_a_second(fixture: Fixture, _: StrategyUnderTest) {
    let redis = fixture.connect();
    until("it is connected", async || redis.ping().await.is_ok()).await;
    fixture.redis().freeze();
    tokio::time::pause();
    let script = redis::Script::new("return 1");
    // Over the connection, then over a new one, which nothing answers.
    for _ in 0..2 {
        let begun = Instant::now();
        assert!(redis.ping().await.is_err());
        assert!(begun.elapsed() < BOUND, "a command was given up after {:?}", begun.elapsed());
    }
    let begun = Instant::now();
    assert!(redis.run::<i64>(&script.prepare_invoke()).await.is_err());
    assert!(begun.elapsed() < BOUND, "a script was given up after {:?}", begun.elapsed());
}

async fn assert_outage(node: &StrategyUnderTest, grant: &Grant) {
    match node.facts().backend {
        Backend::Redis => assert_unavailable(node, grant).await,
        _ => assert_works(node, grant).await,
    }
}

/// All calls at once: each that fails takes half a second.
async fn assert_unavailable(node: &StrategyUnderTest, grant: &Grant) {
    wait_out_the_trust(node, grant).await;
    let (strategy, user, trace, credentials) =
        (&node.strategy, &grant.identity.subject, Trace::off(), grant.credentials());
    let identify = async {
        let found = strategy.identify(&credentials, &trace).await;
        assert!(matches!(found, Err(Failure::Store(_))), "{found:?}");
    };
    let scopes = [RevokeScope::This, RevokeScope::Other(grant.identity.login.clone()), RevokeScope::Everywhere];
    let revokes = join_all(scopes.map(async |scope| {
        let revoked = strategy.revoke(&grant.identity, scope, &trace).await;
        assert!(matches!(revoked, Err(Failure::Store(_))), "{revoked:?}");
    }));
    let records = async {
        let issued = strategy.issue(user, &Device::default(), &trace).await;
        let logins = strategy.logins(user.id, &trace).await;
        if node.records.is_some() {
            assert!(matches!(issued, Err(Failure::Store(_))), "{issued:?}");
            assert!(matches!(logins, Err(Failure::Store(_))), "{logins:?}");
        }
    };
    tokio::join!(identify, revokes, records);
    let nonsense = Credentials::new(Some("nonsense".to_owned()));
    let refused = strategy.identify(&nonsense, &trace).await;
    assert!(matches!(refused, Ok(None)), "no store is needed to refuse nonsense: {refused:?}");
}

async fn assert_works(node: &StrategyUnderTest, grant: &Grant) {
    let (strategy, user, trace, credentials) =
        (&node.strategy, &grant.identity.subject, Trace::off(), grant.credentials());
    // A busy disk is no finding.
    until("it accepts the login", async || {
        let found = strategy.identify(&credentials, &trace).await;
        assert!(!matches!(found, Ok(None)), "{found:?}");
        found.is_ok()
    })
    .await;
    until("it opens a login", async || strategy.issue(user, &Device::default(), &trace).await.is_ok()).await;
    until("it lists both", async || strategy.logins(user.id, &trace).await.is_ok()).await;
}

/// A node trusts what was pushed to it for a while without the channel. tests/durable.rs measures for how long.
async fn wait_out_the_trust(node: &StrategyUnderTest, grant: &Grant) {
    if matches!(node.facts().promise, Promise::Push { .. }) {
        let credentials = grant.credentials();
        let fails = async || node.strategy.identify(&credentials, &Trace::off()).await.is_err();
        until("it trusts its memory no longer", fails).await;
    }
}

async fn assert_return(node: &StrategyUnderTest, who: &Subject) {
    until("a login works again", async || use_a_login(node, who).await.is_ok()).await;
}

/// Opens a login, checks it, and revokes every login.
async fn use_a_login(node: &StrategyUnderTest, who: &Subject) -> Result<()> {
    let (strategy, trace) = (&node.strategy, Trace::off());
    let grant = strategy.issue(who, &Device::default(), &trace).await?;
    let found = strategy.identify(&grant.credentials(), &trace).await?;
    assert_eq!(found.as_ref(), Some(&grant.identity));
    strategy.revoke(&grant.identity, RevokeScope::Everywhere, &trace).await?;
    let listed = strategy.logins(who.id, &trace).await?;
    assert!(listed.is_none_or(|logins| logins.is_empty()));
    Ok(())
}
