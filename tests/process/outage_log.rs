//! What an outage of Redis writes to the log: a line when it begins, and one when it ends.

use super::program::Program;
use crate::common::wire::Wire;
use crate::common::{DEMO_PASSWORD, RedisServer, folder, until};

const FAILED: usize = 40;

#[tokio::test]
async fn an_outage_is_two_lines_however_many_requests_fail() {
    let mut redis = RedisServer::start().await;
    let server = Program::start_in(folder(), &["--redis-url", &redis.url()]).await;
    let (status, cookie) = server.log_in("/session", "alice", DEMO_PASSWORD).await;
    let cookie = cookie.expect("a credential");
    assert_eq!(status, 303);
    redis.kill();
    let mut wire = Wire::open(server.address).await;
    for _ in 0..FAILED {
        assert_eq!(wire.get("/session/profile", &cookie).await.status, 503);
    }
    let lines = |sign: &str| server.log().lines().filter(|line| line.contains(sign)).map(str::to_owned).collect();
    let begun: Vec<String> = lines("ERROR");
    assert_eq!(begun.len(), 1, "{begun:?}");
    assert!(begun[0].contains("store=\"Redis\"") && begun[0].contains("path=\"/session/profile\""), "{begun:?}");
    redis.restart().await;
    until("the log says that Redis is back", async || server.log().contains("a store answers again")).await;
    let ended: Vec<String> = lines("a store answers again");
    assert!(ended.len() == 1 && ended[0].contains(&format!("failed_requests={FAILED}")), "{ended:?}");
    let errors: Vec<String> = lines("ERROR");
    assert_eq!(errors.len(), 1, "{errors:?}");
}
