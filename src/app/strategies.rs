//! The list of strategies. The app, the labs, the benches and the contract suite build their strategies from it; no
//! other file of the server names one.

use std::sync::Arc;

use super::resources::{BuiltStrategy, Resources, StrategyEntry};
use crate::auth::{
    AuthStrategy, Backend, JwtGenerationStrategy, JwtRefreshStrategy, JwtStrategy, RevocableJwtStrategy,
    SessionStrategy,
};
use crate::store::refresh::RefreshTokens;
use crate::store::revocations::Revocations;
use crate::store::sessions::{LoginStore, MemorySessions, RedisSessions, SqlSessions, TrackedSessions};
use crate::store::users::Users;

/// Every strategy, in the order of the home page.
pub static STRATEGIES: &[StrategyEntry] = &[
    |node| JwtStrategy::new(node.keys.clone(), node.life, node.clock.clone()).into(),
    session,
    jwt_blocklist,
    jwt_pushed,
    jwt_generation,
    jwt_refresh,
    session_memory,
    session_sql,
    session_tracked,
];

/// Hands over the records of a strategy with its store.
fn session_on<S: LoginStore, T: AuthStrategy>(store: S, build: impl FnOnce(Arc<S>) -> T) -> BuiltStrategy {
    let store = Arc::new(store);
    BuiltStrategy { records: Some(store.clone()), ..build(store).into() }
}

/// `session` is in Redis. Without Redis it is in this process, and says so.
fn session(node: &Resources) -> BuiltStrategy {
    let (limits, clock) = (node.limits, node.clock.clone());
    let Some(redis) = &node.redis else {
        let notice = Some(WITHOUT_REDIS.to_owned());
        return session_on(MemorySessions::new(clock.clone()), |store| {
            SessionStrategy::shared(store, Backend::None, notice, limits, clock)
        });
    };
    let revoked = revoked_sessions("session", node);
    session_on(RedisSessions::new(redis, revoked, clock.clone()), |store| {
        SessionStrategy::shared(store, Backend::Redis, None, limits, clock)
    })
}

fn jwt_blocklist(node: &Resources) -> BuiltStrategy {
    let (keys, sql, redis) = (node.keys.clone(), node.sql.clone(), node.redis());
    RevocableJwtStrategy::blocklist(keys, sql, &redis, node.life, node.clock.clone()).into()
}

fn jwt_pushed(node: &Resources) -> BuiltStrategy {
    let (keys, sql, redis) = (node.keys.clone(), node.sql.clone(), node.redis());
    RevocableJwtStrategy::pushed(keys, sql, redis, node.life, node.clock.clone()).into()
}

fn jwt_generation(node: &Resources) -> BuiltStrategy {
    let users = Users::new(node.sql.clone());
    JwtGenerationStrategy::new(node.keys.clone(), users, node.life, node.clock.clone()).into()
}

fn jwt_refresh(node: &Resources) -> BuiltStrategy {
    let families = RefreshTokens::new(node.sql.clone(), node.clock.clone());
    JwtRefreshStrategy::new(node.keys.clone(), families, node.short_life, node.login_life, node.clock.clone()).into()
}

fn session_memory(node: &Resources) -> BuiltStrategy {
    let (limits, clock) = (node.limits, node.clock.clone());
    session_on(MemorySessions::new(clock.clone()), |store| SessionStrategy::in_process(store, limits, clock))
}

fn session_sql(node: &Resources) -> BuiltStrategy {
    let (limits, clock) = (node.limits, node.clock.clone());
    session_on(SqlSessions::new(node.sql.clone(), clock.clone()), |store| SessionStrategy::in_sql(store, limits, clock))
}

fn session_tracked(node: &Resources) -> BuiltStrategy {
    let (limits, clock) = (node.limits, node.clock.clone());
    let revoked = revoked_sessions("session-tracked", node);
    session_on(TrackedSessions::new(&node.redis(), revoked, clock.clone()), |store| {
        SessionStrategy::tracked(store, limits, clock)
    })
}

/// Keeps the revocation of a session for as long as the session could have lived.
fn revoked_sessions(mount: &'static str, node: &Resources) -> Revocations {
    Revocations::new(mount, node.sql.clone(), node.limits.absolute, node.clock.clone())
}

const WITHOUT_REDIS: &str = "There is no Redis here: these sessions are in this process' memory. A restart forgets \
    them, and no other node knows them.";
