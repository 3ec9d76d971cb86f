//! A push that never arrives: the revocation experiment must see it, and say so.

use std::sync::Arc;
use std::time::Duration;

use jwt_vs_session::auth::{AuthStrategy, Keys, RevocableJwtStrategy};
use jwt_vs_session::clock::Clock;
use jwt_vs_session::identity::{Role, Subject, UserId};
use jwt_vs_session::labs::nodes::NodePair;
use jwt_vs_session::labs::revocation::{RevocationReport, measure};
use jwt_vs_session::store::{Redis, Sql};
use secrecy::SecretString;

use crate::common::RedisServer;

const LIFE: Duration = Duration::from_mins(15);

/// A node that has its Redis and its database for itself, and the same keys as the other one.
async fn node(redis: &RedisServer, folder: &tempfile::TempDir) -> Arc<dyn AuthStrategy> {
    let keys = Keys::from_secret(&SecretString::from("0123456789abcdef0123456789abcdef")).expect("a key");
    let database = format!("sqlite://{}/test.db?mode=rwc", folder.path().display());
    let sql = Sql::open(&database.parse().expect("a url")).await.expect("a database");
    let redis = Redis::open(&redis.url().parse().expect("a url")).expect("a connection");
    Arc::new(RevocableJwtStrategy::pushed(Arc::new(keys), sql, redis, LIFE, Clock::system()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_that_never_arrives_is_not_within_the_bound() {
    let (here, there) = (RedisServer::start().await, RedisServer::start().await);
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let pair = NodePair { same: node(&here, &folders[0]).await, other: node(&there, &folders[1]).await };
    let subject = Subject { id: UserId::random(), name: "alice".into(), role: Role::User };
    let measured = measure(&pair, &subject, 2, || true).await.expect("a measurement");
    let shown = RevocationReport { results: vec![measured] };
    let row = &serde_json::to_value(&shown).expect("JSON")["results"][0];
    assert_eq!(row["still_accepted"], serde_json::json!({ "same_node": 0, "other_node": 2 }), "{row:#}");
    assert_eq!(row["within_bound"], false, "{row:#}");
    let last = row["last_accept_after_response_ms"]["other_node"]["p50"].as_f64().expect("a figure");
    assert!(last > 500.0, "probed until the bound was over: {row:#}");
    assert!(row["refused_from_ms"]["other_node"]["p50"].is_null(), "never refused: {row:#}");
    assert!(row["refused_from_ms"]["same_node"]["max"].is_f64(), "refused in every trial: {row:#}");
    assert_eq!(row["accepted_after_response"]["same_node"], 0, "{row:#}");
    let table = shown.to_string();
    assert!(table.contains("NOT WITHIN THE BOUND; 2 times still accepted") && table.contains(" ≥"), "{table}");
}
