//! Refresh tokens in two tabs: one successor, the same for both; and a used one that comes back too late ends the login.

use std::collections::BTreeSet;

use jwt_vs_session::auth::{Credentials, Grant, RevokeScope};
use jwt_vs_session::store::refresh::GRACE;
use jwt_vs_session::trace::Trace;
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement, TryGetable};
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::races::answered;
use super::subjects::{Bench, TICK, Tested};

const ROUNDS: usize = 10;
const TABS: usize = 24;

/// The strategies that renew, on two nodes.
fn pairs(bench: &Bench) -> Vec<(Tested, Tested)> {
    let all = bench.pairs().into_iter();
    let renewing: Vec<_> =
        all.filter(|(here, _)| here.strategy.describe().transport.refresh_cookie.is_some()).collect();
    assert!(!renewing.is_empty(), "no strategy renews");
    renewing
}

fn token(grant: &Grant) -> String {
    grant.renewal.as_ref().expect("a refresh token").credential.expose_secret().to_owned()
}

async fn renew(node: Tested, token: String) -> Option<Grant> {
    let credentials = Credentials::default().with_renewal(Some(token));
    loop {
        if let Some(grant) = answered(node.strategy.renew(&credentials, &Trace::default()).await) {
            return grant;
        }
    }
}

/// So many renewals at once, half of them on each node.
fn renew_at_once(pair: &(Tested, Tested), token: &str, count: usize) -> JoinSet<Option<Grant>> {
    let mut renewals = JoinSet::new();
    for node in [&pair.0, &pair.1].into_iter().cycle().take(count) {
        renewals.spawn(renew(node.clone(), token.to_owned()));
    }
    renewals
}

/// One value of a login, as the database has it.
async fn stored<T: TryGetable>(bench: &Bench, select: &str, grant: &Grant) -> T {
    let database = Database::connect(&bench.database).await.expect("the database");
    let backend = if bench.database.starts_with("sqlite") { DbBackend::Sqlite } else { DbBackend::Postgres };
    let query = format!("{select} WHERE login = '{}'", grant.identity.login);
    let row = database.query_one_raw(Statement::from_string(backend, query)).await.expect("an answer");
    row.expect("a row").try_get_by_index(0).expect("a value of this type")
}

/// When the family of a login was ended by a used token.
async fn reused_at(bench: &Bench, grant: &Grant) -> Option<i64> {
    stored(bench, "SELECT reused_at FROM refresh_families", grant).await
}

/// How many tokens of a login have a row.
async fn kept(bench: &Bench, grant: &Grant) -> i64 {
    stored(bench, "SELECT count(*) FROM refresh_tokens", grant).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tabs_that_renew_at_once_get_the_same_successor_and_stay_logged_in() {
    for bench in Bench::on_both_databases().await {
        for pair in pairs(&bench) {
            let mut current = pair.0.log_in(&bench.alice().await).await;
            let login = current.identity.login.clone();
            for round in 0..ROUNDS {
                let old = token(&current);
                let renewed = renew_at_once(&pair, &old, TABS).join_all().await;
                let renewed: Vec<_> = renewed.into_iter().map(|grant| grant.expect("a tab is signed out")).collect();
                let successors: BTreeSet<_> = renewed.iter().map(token).collect();
                assert_eq!(successors.len(), 1, "{}, round {round}", pair.0.name);
                assert!(!successors.contains(&old), "{}: the old one is not used up", pair.0.name);
                for grant in &renewed {
                    assert!(pair.1.accepts(grant).await, "{}: a tab is signed out", pair.0.name);
                    assert_eq!(grant.identity.login, login, "{}", pair.0.name);
                }
                // A tab that comes at the last moment still belongs to them.
                bench.go_to(bench.clock.now() + GRACE - TICK);
                let late = renew(pair.1.clone(), old).await.expect("within the grace");
                assert_eq!(BTreeSet::from([token(&late)]), successors, "{}", pair.0.name);
                current = late;
            }
            assert_eq!(reused_at(&bench, &current).await, None, "{}", pair.0.name);
            assert_eq!(pair.0.logins(&current.identity.subject).await, Some(vec![login]), "{}", pair.0.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_token_after_the_grace_ends_the_family_whatever_else_is_renewed() {
    for bench in Bench::on_both_databases().await {
        for pair in pairs(&bench) {
            for _ in 0..ROUNDS {
                let who = bench.alice().await;
                let (first, other) = (pair.0.log_in(&who).await, pair.0.log_in(&who).await);
                let second = renew(pair.1.clone(), token(&first)).await.expect("the next one");
                bench.clock.advance(GRACE);
                let mut honest = renew_at_once(&pair, &token(&second), TABS / 2);
                let stolen = renew_at_once(&pair, &token(&first), TABS / 2).join_all().await;
                assert!(stolen.iter().all(Option::is_none), "{}: a copy was renewed", pair.0.name);
                let mut tokens = vec![token(&first), token(&second)];
                while let Some(grant) = honest.join_next().await {
                    // Whoever was earlier than the thief got one more, which is worth nothing now.
                    tokens.extend(grant.expect("no panic").as_ref().map(token));
                }
                for token in tokens {
                    assert!(renew(pair.1.clone(), token).await.is_none(), "{}: the family lives", pair.0.name);
                }
                assert_eq!(reused_at(&bench, &first).await, Some(bench.clock.now().as_millis()), "{}", pair.0.name);
                let left = pair.0.logins(&who).await;
                assert_eq!(left, Some(vec![other.identity.login.clone()]), "{}: the other login goes on", pair.0.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_long_ago_is_recognised_without_a_row_and_a_forged_one_ends_nothing() {
    for bench in Bench::on_both_databases().await {
        for pair in pairs(&bench) {
            let who = bench.alice().await;
            for back in [1, 2, 30] {
                let first = pair.0.log_in(&who).await;
                let mut used = vec![token(&first)];
                let mut current = renew(pair.1.clone(), token(&first)).await.expect("the next one");
                for _ in 1..30 {
                    bench.clock.advance(3 * GRACE);
                    used.push(token(&current));
                    current = renew(pair.1.clone(), token(&current)).await.expect("the next one");
                }
                assert!(kept(&bench, &first).await <= 2, "{}: every used token has a row", pair.0.name);
                let forged = format!("{}.{}", first.identity.login, "A".repeat(43));
                for other in [forged, format!("{}.", first.identity.login), first.identity.login.to_string()] {
                    assert!(renew(pair.0.clone(), other).await.is_none(), "{}: forged", pair.0.name);
                }
                assert_eq!(reused_at(&bench, &first).await, None, "{}: a forged one ended it", pair.0.name);
                bench.clock.advance(3 * GRACE);
                let copy = used[used.len() - back].clone();
                assert!(renew(pair.0.clone(), copy).await.is_none(), "{}: a copy was renewed", pair.0.name);
                assert!(reused_at(&bench, &first).await.is_some(), "{}: {back} back, unseen", pair.0.name);
                assert!(renew(pair.1.clone(), token(&current)).await.is_none(), "{}: the family lives", pair.0.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_in_flight_across_a_log_out_leads_nowhere() {
    for bench in Bench::on_both_databases().await {
        for pair in pairs(&bench) {
            let mut in_time = 0;
            for round in 0..5 * ROUNDS {
                let who = bench.alice().await;
                let grant = pair.0.log_in(&who).await;
                let scope = if round % 2 == 0 { RevokeScope::This } else { RevokeScope::Everywhere };
                let renewals = renew_at_once(&pair, &token(&grant), 4);
                while answered(pair.0.strategy.revoke(&grant.identity, scope.clone(), &Trace::default()).await)
                    .is_none()
                {}
                let late = renew(pair.1.clone(), token(&grant)).await;
                assert!(late.is_none(), "{}: renewed after the end", pair.0.name);
                for renewed in renewals.join_all().await.into_iter().flatten() {
                    in_time += 1;
                    let next = renew(pair.1.clone(), token(&renewed)).await;
                    assert!(next.is_none(), "{}: renewed before the end, and again after it", pair.0.name);
                }
                assert_eq!(pair.0.logins(&who).await, Some(Vec::new()), "{}", pair.0.name);
            }
            eprintln!("{}: {} log outs, {in_time} of {} renewals were in time", pair.0.name, 5 * ROUNDS, 20 * ROUNDS);
        }
    }
}
