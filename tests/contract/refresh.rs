//! Refresh tokens in two tabs: both get the same successor. A used token that comes back too late revokes the login.

use std::collections::BTreeSet;

use jwt_vs_session::auth::{Credentials, Grant, RevokeScope};
use jwt_vs_session::store::refresh::GRACE;
use jwt_vs_session::trace::Trace;
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement, TryGetable};
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::fixture::{Fixture, TICK};
use super::races::answered;
use super::strategy_under_test::StrategyUnderTest;

const ROUNDS: usize = 10;
const TABS: usize = 24;

fn token(grant: &Grant) -> String {
    grant.renewal.as_ref().expect("a refresh token").credential.expose_secret().to_owned()
}

async fn renew(node: StrategyUnderTest, token: String) -> Option<Grant> {
    let credentials = Credentials::default().with_renewal(Some(token));
    loop {
        if let Some(grant) = answered(node.strategy.renew(&credentials, &Trace::default()).await) {
            return grant;
        }
    }
}

/// Renews `count` times at once, half of them on each node.
fn renew_at_once(pair: &(StrategyUnderTest, StrategyUnderTest), token: &str, count: usize) -> JoinSet<Option<Grant>> {
    let mut renewals = JoinSet::new();
    for node in [&pair.0, &pair.1].into_iter().cycle().take(count) {
        renewals.spawn(renew(node.clone(), token.to_owned()));
    }
    renewals
}

/// One value of a login, as the database has it.
async fn stored<T: TryGetable>(fixture: &Fixture, select: &str, grant: &Grant) -> T {
    let url = fixture.database();
    let database = Database::connect(&url).await.expect("the database");
    let backend = if url.starts_with("sqlite") { DbBackend::Sqlite } else { DbBackend::Postgres };
    let query = format!("{select} WHERE login = '{}'", grant.identity.login);
    let row = database.query_one_raw(Statement::from_string(backend, query)).await.expect("an answer");
    row.expect("a row").try_get_by_index(0).expect("a value of this type")
}

/// When a reused token revoked the family of a login.
async fn reused_at(fixture: &Fixture, grant: &Grant) -> Option<i64> {
    stored(fixture, "SELECT reused_at FROM refresh_families", grant).await
}

/// How many tokens of a login the database holds.
async fn kept(fixture: &Fixture, grant: &Grant) -> i64 {
    stored(fixture, "SELECT count(*) FROM refresh_tokens", grant).await
}

pub async fn tabs_that_renew_at_once_get_the_same_successor(fixture: Fixture, node: StrategyUnderTest) {
    let pair = (node.clone(), fixture.other_node(&node).await);
    let mut current = pair.0.log_in(&fixture.alice().await).await;
    let login = current.identity.login.clone();
    for round in 0..ROUNDS {
        let old = token(&current);
        let renewed = renew_at_once(&pair, &old, TABS).join_all().await;
        let renewed: Vec<_> = renewed.into_iter().map(|grant| grant.expect("a tab is signed out")).collect();
        let successors: BTreeSet<_> = renewed.iter().map(token).collect();
        assert_eq!(successors.len(), 1, "round {round}");
        assert!(!successors.contains(&old), "the old one is not used up");
        for grant in &renewed {
            assert!(pair.1.accepts(grant).await, "a tab is signed out");
            assert_eq!(grant.identity.login, login);
        }
        // A tab that comes at the last moment still belongs to them.
        fixture.go_to(fixture.clock.now() + GRACE - TICK);
        let late = renew(pair.1.clone(), old).await.expect("within the grace");
        assert_eq!(BTreeSet::from([token(&late)]), successors);
        current = late;
    }
    assert_eq!(reused_at(&fixture, &current).await, None);
    assert_eq!(pair.0.logins(&current.identity.subject).await, Some(vec![login]));
}

pub async fn a_token_reused_after_the_grace_revokes_its_family(fixture: Fixture, node: StrategyUnderTest) {
    let pair = (node.clone(), fixture.other_node(&node).await);
    for _ in 0..ROUNDS {
        let who = fixture.alice().await;
        let (first, other) = (pair.0.log_in(&who).await, pair.0.log_in(&who).await);
        let second = renew(pair.1.clone(), token(&first)).await.expect("the next one");
        fixture.clock.advance(GRACE);
        let mut honest = renew_at_once(&pair, &token(&second), TABS / 2);
        let stolen = renew_at_once(&pair, &token(&first), TABS / 2).join_all().await;
        assert!(stolen.iter().all(Option::is_none), "a copy was renewed");
        let mut tokens = vec![token(&first), token(&second)];
        while let Some(grant) = honest.join_next().await {
            // A tab that was earlier than the thief has one more token. It is revoked, too.
            tokens.extend(grant.expect("no panic").as_ref().map(token));
        }
        for token in tokens {
            assert!(renew(pair.1.clone(), token).await.is_none(), "the family lives");
        }
        assert_eq!(reused_at(&fixture, &first).await, Some(fixture.clock.now().as_millis()));
        let left = pair.0.logins(&who).await;
        assert_eq!(left, Some(vec![other.identity.login.clone()]), "the other login goes on");
    }
}

pub async fn an_old_token_proves_its_family_without_a_row_and_a_forged_token_does_not(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let pair = (node.clone(), fixture.other_node(&node).await);
    let who = fixture.alice().await;
    for back in [1, 2, 30] {
        let first = pair.0.log_in(&who).await;
        let mut used = vec![token(&first)];
        let mut current = renew(pair.1.clone(), token(&first)).await.expect("the next one");
        for _ in 1..30 {
            fixture.clock.advance(3 * GRACE);
            used.push(token(&current));
            current = renew(pair.1.clone(), token(&current)).await.expect("the next one");
        }
        assert!(kept(&fixture, &first).await <= 2, "every used token has a row");
        let forged = format!("{}.{}", first.identity.login, "A".repeat(43));
        for other in [forged, format!("{}.", first.identity.login), first.identity.login.to_string()] {
            assert!(renew(pair.0.clone(), other).await.is_none(), "forged");
        }
        assert_eq!(reused_at(&fixture, &first).await, None, "a forged token revoked it");
        fixture.clock.advance(3 * GRACE);
        let copy = used[used.len() - back].clone();
        assert!(renew(pair.0.clone(), copy).await.is_none(), "a copy was renewed");
        assert!(reused_at(&fixture, &first).await.is_some(), "{back} back, unseen");
        assert!(renew(pair.1.clone(), token(&current)).await.is_none(), "the family lives");
    }
}

pub async fn a_renewal_in_flight_across_a_log_out_keeps_no_login_alive(fixture: Fixture, node: StrategyUnderTest) {
    let pair = (node.clone(), fixture.other_node(&node).await);
    for round in 0..5 * ROUNDS {
        let who = fixture.alice().await;
        let grant = pair.0.log_in(&who).await;
        let scope = if round % 2 == 0 { RevokeScope::This } else { RevokeScope::Everywhere };
        let renewals = renew_at_once(&pair, &token(&grant), 4);
        while answered(pair.0.strategy.revoke(&grant.identity, scope.clone(), &Trace::default()).await).is_none() {}
        let late = renew(pair.1.clone(), token(&grant)).await;
        assert!(late.is_none(), "renewed after the revoke");
        for renewed in renewals.join_all().await.into_iter().flatten() {
            let next = renew(pair.1.clone(), token(&renewed)).await;
            assert!(next.is_none(), "renewed before the revoke, and again after it");
        }
        assert_eq!(pair.0.logins(&who).await, Some(Vec::new()));
    }
}
