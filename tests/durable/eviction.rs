//! A Redis that evicts keys: it may have lost the index of a user's logins, and still have their records.

use jwt_vs_session::auth::{Grant, RevokeScope};
use jwt_vs_session::identity::{Device, Subject};
use jwt_vs_session::trace::Trace;

use super::stores::{Stores, accepts, alice, credentials, open};
use crate::common::{RedisServer, folder};

async fn evicting_stores() -> Stores {
    let options = ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"];
    Stores { redis: RedisServer::start_with(&options).await, folder: folder() }
}

/// Does what the eviction of the user's index does.
async fn lose_index(stores: &Stores, user: &Subject, grants: &[Grant]) {
    let index = format!(":{}", user.id);
    for key in stores.redis.keys().await.iter().filter(|key| key.ends_with(&index)) {
        stores.redis.command(&["DEL", key]).await;
    }
    let left = stores.redis.keys().await;
    for grant in grants {
        assert!(left.iter().any(|key| key.ends_with(grant.identity.login.as_str())), "the record is still there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_out_everywhere_revokes_the_logins_that_an_evicted_index_listed() {
    let stores = evicting_stores().await;
    for strategy in stores.node().await.iter().filter(|strategy| strategy.describe().lists_logins) {
        let (slug, user) = (strategy.describe().slug, alice());
        let grants = [open(strategy.as_ref(), &user).await, open(strategy.as_ref(), &user).await];
        let stranger = open(strategy.as_ref(), &alice()).await;
        lose_index(&stores, &user, &grants).await;
        strategy.revoke(&grants[0].identity, RevokeScope::Everywhere, &Trace::off()).await.expect("a log out");
        for grant in &grants {
            assert!(!accepts(strategy.as_ref(), &credentials(grant)).await, "{slug}: accepted after the log out");
        }
        assert!(accepts(strategy.as_ref(), &credentials(&stranger)).await, "{slug}: a login of another user");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_change_revokes_the_logins_that_an_evicted_index_listed() {
    let stores = evicting_stores().await;
    for strategy in stores.node().await.iter().filter(|strategy| strategy.describe().lists_logins) {
        let (slug, user) = (strategy.describe().slug, alice());
        let grants = [open(strategy.as_ref(), &user).await, open(strategy.as_ref(), &user).await];
        lose_index(&stores, &user, &grants).await;
        let (before, device) = (credentials(&grants[0]), Device::default());
        let changed = strategy.replace(&grants[0].identity, &before, &device, &Trace::off()).await;
        let next = changed.expect("an answer").expect("a login in place of the old one");
        assert!(accepts(strategy.as_ref(), &credentials(&next)).await, "{slug}: the new login");
        for grant in &grants {
            assert!(!accepts(strategy.as_ref(), &credentials(grant)).await, "{slug}: accepted after the change");
        }
    }
}
