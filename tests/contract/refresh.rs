//! Refresh tokens: two tabs get the same successor, a lost answer gets another one, and a copy revokes the login.

use std::collections::BTreeSet;
use std::time::Duration;

use jwt_vs_session::auth::{Credentials, Grant, RenewOutcome, RevokeScope};
use jwt_vs_session::identity::{ClientOrigin, LoginId, Subject};
use jwt_vs_session::store::refresh::GRACE;
use jwt_vs_session::trace::Trace;
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement, TryGetable};
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::fixture::{Fixture, LIFE, TICK};
use super::races::answered;
use super::strategy_under_test::StrategyUnderTest;

const ROUNDS: usize = 10;
const TABS: usize = 24;

const HONEST: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

fn token(grant: &Grant) -> String {
    grant.renewal.as_ref().expect("a refresh token").credential.expose_secret().to_owned()
}

async fn renew(node: StrategyUnderTest, token: String) -> Option<Grant> {
    present(&node, &token, &honest()).await.grant()
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

/// The client that logged in.
fn honest() -> ClientOrigin {
    client("192.0.2.7", HONEST)
}

fn client(network: &str, browser: &str) -> ClientOrigin {
    ClientOrigin { network: network.into(), browser: browser.into() }
}

async fn present(node: &StrategyUnderTest, token: &str, client: &ClientOrigin) -> RenewOutcome {
    let credentials = Credentials::default().with_renewal(Some(token.to_owned()));
    loop {
        if let Some(outcome) = answered(node.strategy.renew(&credentials, client, &Trace::default()).await) {
            return outcome;
        }
    }
}

/// Fails unless the reuse names the login, revokes it on every node, and is told once.
async fn assert_alarm(
    outcome: RenewOutcome,
    who: &Subject,
    login: &LoginId,
    pair: &(StrategyUnderTest, StrategyUnderTest),
    tokens: &[String],
) {
    let RenewOutcome::Reused { user, login: reused } = &outcome else { panic!("no alarm: {outcome:?}") };
    assert_eq!((user, reused), (&who.id, login));
    for token in tokens {
        for node in [&pair.0, &pair.1] {
            let again = present(node, token, &honest()).await;
            assert!(matches!(again, RenewOutcome::Refused), "the family lives: {again:?}");
        }
    }
}

pub async fn a_thief_in_lock_step_with_its_victim_ends_the_login(fixture: Fixture, node: StrategyUnderTest) {
    let pair = (node.clone(), fixture.other_node(&node).await);
    let who = fixture.alice().await;
    let untouched = pair.0.log_in(&who).await;
    for thief in [client("192.0.2.8", HONEST), client("192.0.2.7", "curl/8.5.0")] {
        for (earlier, later) in [(honest(), thief.clone()), (thief, honest())] {
            let first = pair.0.log_in(&who).await;
            let second = present(&pair.0, &token(&first), &earlier).await.grant().expect("the newest token");
            let outcome = present(&pair.1, &token(&first), &later).await;
            let login = &first.identity.login;
            assert_alarm(outcome, &who, login, &pair, &[token(&first), token(&second)]).await;
            assert_eq!(reused_at(&fixture, &first).await, Some(fixture.clock.now().as_millis()));
        }
    }
    assert_eq!(pair.1.logins(&who).await, Some(vec![untouched.identity.login.clone()]), "the other login goes on");
    assert!(present(&pair.1, &token(&untouched), &honest()).await.grant().is_some());
}

pub async fn a_lost_answer_does_not_end_the_login(fixture: Fixture, node: StrategyUnderTest) {
    let pair = (node.clone(), fixture.other_node(&node).await);
    for pause in [GRACE, Duration::from_millis(10_500), LIFE / 4] {
        let who = fixture.alice().await;
        let mut current = pair.0.log_in(&who).await;
        let mut lost = Vec::new();
        for _ in 0..2 {
            // Not received, twice.
            lost.push(token(&present(&pair.0, &token(&current), &honest()).await.grant().expect("the newest token")));
            fixture.clock.advance(pause);
        }
        let late = renew_at_once(&pair, &token(&current), TABS).join_all().await;
        let received: BTreeSet<_> = late.iter().map(|grant| token(grant.as_ref().expect("the login ended"))).collect();
        assert_eq!(received.len(), 1, "after {pause:?}");
        assert!(received.iter().all(|token| !lost.contains(token)), "a lost token counts again");
        current = late.into_iter().flatten().next().expect("a grant");
        assert!(kept(&fixture, &current).await <= 2, "lost tokens have rows");
        let next = present(&pair.0, &token(&current), &honest()).await.grant().expect("the newest token");
        assert_eq!(reused_at(&fixture, &next).await, None);
        // Whoever has a lost answer is a second client, wherever it is.
        let outcome = present(&pair.1, &lost[1], &honest()).await;
        assert_alarm(outcome, &who, &current.identity.login, &pair, &[token(&next), token(&current)]).await;
    }
}

pub async fn a_repeat_by_another_client_or_of_a_token_left_behind_is_reuse(fixture: Fixture, node: StrategyUnderTest) {
    let pair = (node.clone(), fixture.other_node(&node).await);
    let who = fixture.alice().await;
    for (pause, used_on, repeating) in [
        // The answer was lost, and the address changed before the repeat.
        (Duration::ZERO, false, client("198.51.100.1", HONEST)),
        (Duration::from_mins(10), false, client("198.51.100.1", HONEST)),
        // The client got the answer: whoever presents the older token has another copy.
        (GRACE, true, honest()),
        (Duration::from_mins(10), true, honest()),
    ] {
        let first = pair.0.log_in(&who).await;
        let second = present(&pair.0, &token(&first), &honest()).await.grant().expect("the newest token");
        let mut newest = token(&second);
        if used_on {
            newest = token(&present(&pair.1, &newest, &honest()).await.grant().expect("the newest token"));
        }
        fixture.clock.advance(pause);
        let outcome = present(&pair.1, &token(&first), &repeating).await;
        assert_alarm(outcome, &who, &first.identity.login, &pair, &[newest]).await;
    }
}

pub async fn a_client_that_moves_renews_with_its_newest_token(fixture: Fixture, node: StrategyUnderTest) {
    let mut current = node.log_in(&fixture.alice().await).await;
    for (network, browser) in [("192.0.2.7", HONEST), ("198.51.100.1", HONEST), ("2001:db8::", "Firefox/200.0")] {
        current = present(&node, &token(&current), &client(network, browser)).await.grant().expect("the newest token");
    }
    assert_eq!(reused_at(&fixture, &current).await, None);
}

/// Two requests at once: one with the newest token, one with the token before it, which is a repeat if it comes first.
pub async fn no_race_leaves_two_branches_of_a_family(fixture: Fixture, node: StrategyUnderTest) {
    let pair = (node.clone(), fixture.other_node(&node).await);
    for _ in 0..ROUNDS {
        let who = fixture.alice().await;
        let (first, other) = (pair.0.log_in(&who).await, pair.0.log_in(&who).await);
        let second = renew(pair.1.clone(), token(&first)).await.expect("the next one");
        fixture.clock.advance(GRACE);
        let newest = renew_at_once(&pair, &token(&second), TABS / 2);
        let before = renew_at_once(&pair, &token(&first), TABS / 2).join_all().await;
        let renewed = newest.join_all().await.into_iter().chain(before).flatten();
        for token in [token(&first), token(&second)].into_iter().chain(renewed.map(|grant| token(&grant))) {
            assert!(renew(pair.1.clone(), token).await.is_none(), "the family lives");
        }
        assert_eq!(reused_at(&fixture, &first).await, Some(fixture.clock.now().as_millis()));
        let left = pair.0.logins(&who).await;
        assert_eq!(left, Some(vec![other.identity.login.clone()]), "the other login goes on");
    }
}

/// Anybody can send a made-up cookie with every request.
pub async fn a_made_up_refresh_token_costs_one_read_at_most(fixture: Fixture, node: StrategyUnderTest) {
    let grant = node.log_in(&fixture.alice().await).await;
    let (login, secret) = (&grant.identity.login, "A".repeat(43));
    for (made_up, reads) in [
        (String::new(), 0),
        ("garbage".to_owned(), 0),
        (login.to_string(), 0),
        (format!("{login}."), 0),
        (format!("{login}.{}", &secret[1..]), 0),
        (format!("{login}.{secret}A"), 0),
        (format!("..{secret}"), 0),
        (format!("{login}.{secret}"), 1),
        (format!("{}.{secret}", LoginId::random()), 1),
    ] {
        let trace = Trace::on();
        let credentials = Credentials::default().with_renewal(Some(made_up.clone()));
        let outcome = node.strategy.renew(&credentials, &honest(), &trace).await.expect("an answer");
        assert!(matches!(outcome, RenewOutcome::Refused), "{made_up}: {outcome:?}");
        assert_eq!(trace.store_calls(), reads, "{made_up}");
        assert!(trace.refusal().is_some(), "{made_up}: refused without a reason");
    }
    assert!(present(&node, &token(&grant), &honest()).await.grant().is_some(), "a made-up token revoked the login");
}

pub async fn an_old_token_proves_its_family_without_a_row_and_a_forged_token_does_not(
    fixture: Fixture,
    node: StrategyUnderTest,
) {
    let pair = (node.clone(), fixture.other_node(&node).await);
    let who = fixture.alice().await;
    // The last one may be the repeat of a lost answer.
    for back in [2, 3, 30] {
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
