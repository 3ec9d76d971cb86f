//! Redis restarts: empty, or with a snapshot that has revoked logins again.

use jwt_vs_session::auth::RevokeScope;
use jwt_vs_session::identity::Device;
use jwt_vs_session::trace::Trace;

use super::stores::{Stores, accepts, alice, credentials, open, until_accepted};
use crate::common::proxy::{Hold, Proxy};
use crate::common::until;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_restarted_empty_brings_back_none_of_a_thousand_logins() {
    let mut stores = Stores::start().await;
    let node = stores.node().await;
    let tokens = node.iter().filter(|node| node.describe().transport.bearer).collect::<Vec<_>>();
    let mut revoked = Vec::new();
    for node in &tokens {
        for _ in 0..500 {
            let grant = open(node.as_ref(), &alice()).await;
            node.revoke(&grant.identity, RevokeScope::This, &Trace::off()).await.expect("a log out");
            revoked.push((node.describe().slug, credentials(&grant)));
        }
    }
    stores.redis.restart().await;
    let fresh = stores.node().await;
    let mut accepted = 0;
    for node in tokens.into_iter().chain(fresh.iter().filter(|node| node.describe().transport.bearer)) {
        until("Redis answers the node", async || {
            node.identify(&revoked[0].1, &Trace::off()).await.is_ok() && !accepts(node.as_ref(), &revoked[0].1).await
        })
        .await;
        for (_, credentials) in revoked.iter().filter(|(slug, _)| *slug == node.describe().slug) {
            accepted += usize::from(accepts(node.as_ref(), credentials).await);
        }
    }
    println!("{} revoked logins after Redis was restarted empty: {accepted} accepted", revoked.len());
    assert_eq!(accepted, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_restores_a_snapshot_brings_no_login_back_and_keeps_the_others() {
    let mut stores = Stores::with_snapshots().await;
    let node = stores.node().await;
    let mut logins = Vec::new();
    for strategy in &node {
        let login = async || {
            let grant = open(strategy.as_ref(), &alice()).await;
            until_accepted(strategy.as_ref(), &credentials(&grant)).await;
            grant
        };
        logins.push((login().await, login().await, login().await));
    }
    stores.redis.command(&["SET", "of another program", "1"]).await;
    stores.redis.command(&["SAVE"]).await;
    for (strategy, (_, single, everywhere)) in node.iter().zip(&logins) {
        strategy.revoke(&single.identity, RevokeScope::This, &Trace::off()).await.expect("a log out");
        strategy.revoke(&everywhere.identity, RevokeScope::Everywhere, &Trace::off()).await.expect("a log out");
    }
    stores.redis.restart().await;
    // The record is back: the server refuses the login for another reason than its absence.
    let restored = stores.redis.keys().await;
    let session = format!("{{jvs}}:s:{}", logins[2].1.identity.login);
    assert!(restored.contains(&session), "the snapshot holds the revoked session: {restored:?}");
    // Whichever strategy connects first: it deletes its own revoked logins, and not those of the others.
    for strategy in node.iter().rev() {
        open(strategy.as_ref(), &alice()).await;
    }
    let fresh = stores.node().await;
    for (place, (stays, single, everywhere)) in logins.iter().enumerate() {
        for strategy in [&node[place], &fresh[place]] {
            for revoked in [single, everywhere] {
                for _ in 0..20 {
                    assert!(!accepts(strategy.as_ref(), &credentials(revoked)).await, "{}", strategy.describe().slug);
                }
            }
            until_accepted(strategy.as_ref(), &credentials(stays)).await;
            for revoked in [single, everywhere] {
                assert!(!accepts(strategy.as_ref(), &credentials(revoked)).await, "{}", strategy.describe().slug);
            }
        }
    }
    assert!(stores.redis.keys().await.contains(&"of another program".to_owned()), "the recovery deleted a foreign key");
}

/// Redis does not have the records at the time of the revoke, and has them again later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_out_everywhere_revokes_logins_that_redis_had_lost_and_restores_later() {
    let mut stores = Stores::with_snapshots().await;
    let node = stores.node().await;
    let mut logins = Vec::new();
    for strategy in &node {
        let grant = open(strategy.as_ref(), &alice()).await;
        until_accepted(strategy.as_ref(), &credentials(&grant)).await;
        logins.push(grant);
    }
    stores.redis.command(&["SAVE"]).await;
    let snapshot = |name: &str| stores.folder.path().join(name);
    std::fs::rename(snapshot("dump.rdb"), snapshot("old.rdb")).expect("a snapshot");
    stores.redis.restart().await;
    for (strategy, grant) in node.iter().zip(&logins) {
        until("the log out is answered", async || {
            strategy.revoke(&grant.identity, RevokeScope::Everywhere, &Trace::off()).await.is_ok()
        })
        .await;
    }
    let snapshot = |name: &str| stores.folder.path().join(name);
    std::fs::rename(snapshot("old.rdb"), snapshot("dump.rdb")).expect("a snapshot");
    stores.redis.restart().await;
    assert!(!stores.redis.keys().await.is_empty(), "the snapshot is back");
    for (strategy, grant) in node.iter().zip(&logins) {
        let credentials = credentials(grant);
        until("Redis answers the node", async || {
            let answer = strategy.identify(&credentials, &Trace::off()).await;
            assert!(!matches!(answer, Ok(Some(_))), "{}: the login is back", strategy.describe().slug);
            answer.is_ok()
        })
        .await;
    }
}

/// Two databases have different revocations: the recovery with one does not stand for the other's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_databases_on_one_redis_each_delete_their_own_revoked_logins() {
    let mut stores = Stores::with_snapshots().await;
    let second = tempfile::tempdir().expect("a folder");
    let nodes = [stores.node().await, stores.node_with(&second, &stores.redis.url()).await];
    let mut logins = Vec::new();
    for strategy in nodes.iter().flatten() {
        let grant = open(strategy.as_ref(), &alice()).await;
        until_accepted(strategy.as_ref(), &credentials(&grant)).await;
        logins.push(grant);
    }
    stores.redis.command(&["SAVE"]).await;
    for (strategy, grant) in nodes.iter().flatten().zip(&logins) {
        strategy.revoke(&grant.identity, RevokeScope::This, &Trace::off()).await.expect("a log out");
    }
    stores.redis.restart().await;
    for (strategy, grant) in nodes.iter().flatten().zip(&logins) {
        open(strategy.as_ref(), &alice()).await;
        let slug = strategy.describe().slug;
        assert!(!accepts(strategy.as_ref(), &credentials(grant)).await, "{slug}: the login is back");
    }
}

/// The node has listed the logins that it is about to delete. One more is opened, and gets into a snapshot.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_opened_and_revoked_during_a_password_change_stays_revoked() {
    let mut stores = Stores::with_snapshots().await;
    let proxy = Proxy::before(stores.redis.port()).await;
    let (node, slow) = (stores.node().await, stores.node_with(&stores.folder, &proxy.url()).await);
    for (node, slow) in node.iter().zip(&slow).filter(|(node, _)| node.describe().lists_logins) {
        let (alice, slug) = (alice(), node.describe().slug);
        let mut late = None;
        // The node gives up an answer that takes too long.
        until("the password is changed during a log in", async || {
            let old = open(node.as_ref(), &alice).await;
            open(slow.as_ref(), &alice).await;
            // Only the script that deletes all logins but one names the one that stays.
            proxy.hold(Hold::commands(&old.identity.login));
            let (before, device, trace) = (credentials(&old), Device::default(), Trace::off());
            let change = slow.replace(&old.identity, &before, &device, &trace);
            let during = async {
                proxy.stopped().await;
                late = node.issue(&alice, &device, &trace).await.ok();
                stores.redis.command(&["SAVE"]).await;
                proxy.release();
            };
            let (changed, ()) = tokio::join!(change, during);
            matches!(changed, Ok(Some(_))) && late.is_some()
        })
        .await;
        let late = credentials(&late.expect("a login"));
        assert!(!accepts(node.as_ref(), &late).await, "{slug}: accepted after the password change");
        stores.redis.restart().await;
        open(node.as_ref(), &alice).await;
        assert!(!accepts(node.as_ref(), &late).await, "{slug}: the login is back");
    }
}

/// The user's generation under one strategy says nothing of the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_out_everywhere_under_one_strategy_revokes_no_login_under_another() {
    let (stores, alice) = (Stores::start().await, alice());
    let node = stores.node().await;
    for strategy in &node {
        let mut others = Vec::new();
        for other in node.iter().filter(|other| other.describe().slug != strategy.describe().slug) {
            others.push((other, open(other.as_ref(), &alice).await));
        }
        for _ in 0..2 {
            let grant = open(strategy.as_ref(), &alice).await;
            strategy.revoke(&grant.identity, RevokeScope::Everywhere, &Trace::off()).await.expect("a log out");
        }
        until_accepted(strategy.as_ref(), &credentials(&open(strategy.as_ref(), &alice).await)).await;
        for (other, grant) in others {
            let (slug, credentials) = (other.describe().slug, credentials(&grant));
            assert!(accepts(other.as_ref(), &credentials).await, "{slug}");
            let replaced = other.replace(&grant.identity, &credentials, &Device::default(), &Trace::off()).await;
            assert!(replaced.expect("an answer").is_some(), "{slug}: the login does not survive a password change");
        }
    }
}
