//! The course of a run: steady probes, the revoke, the end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesOrdered;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::login::LiveLogin;
use super::run::{LIVE_RUN_LIMIT, LiveEvent, LiveRun, LoginState};

/// Time between two steady probes.
const PACE: Duration = Duration::from_millis(140);

/// How long a run goes on without readers: a browser that lost its connection comes back within this time.
const UNWATCHED: Duration = Duration::from_secs(5);

/// How long the probes go on after every login is settled, so that people see it.
const AFTERMATH: Duration = Duration::from_secs(1);

/// Runs until every login is settled or `closing` is ready, and revokes the logins that are left.
pub(super) async fn run_loop(run: Arc<LiveRun>, logins: Vec<LiveLogin>, closing: impl Future<Output = ()>) {
    let logins = Arc::new(logins);
    join_all(logins.iter().map(|login| login.open(&run))).await;
    let end = Instant::now() + LIVE_RUN_LIMIT;
    let mut work = JoinSet::new();
    work.spawn(keep_fresh(run.clone(), logins.clone()));
    work.spawn(revoke_when_told(run.clone(), logins.clone()));
    tokio::select! {
        () = probe_steadily(&run, &logins) => {}
        () = sleep_until(end) => {}
        () = closing => {}
    }
    work.shutdown().await;
    run.log().end();
    join_all(logins.iter().map(LiveLogin::close)).await;
}

/// Until every login is settled, or nobody watches.
async fn probe_steadily(run: &LiveRun, logins: &[LiveLogin]) {
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut watched, mut settled) = (Instant::now(), None);
    // Sent without waiting for the answer before, and logged in the order of sending: a late answer must not look like a
    // login that came back.
    let mut probes = FuturesOrdered::new();
    loop {
        tokio::select! {
            Some(tick) = probes.next() => {
                run.log().push(tick);
                continue;
            }
            _ = ticks.tick() => probes.push_back(probe(run, logins)),
        }
        if run.log().readers() > 0 {
            watched = Instant::now();
        }
        if settled.is_none() && run.states().iter().all(LoginState::is_final) {
            settled = Some(Instant::now());
        }
        let over = settled.is_some_and(|settled: Instant| settled.elapsed() > AFTERMATH);
        if over || watched.elapsed() > UNWATCHED {
            return;
        }
    }
}

async fn probe(run: &LiveRun, logins: &[LiveLogin]) -> LiveEvent {
    let at_ms = run.now_ms();
    let outcomes = join_all(logins.iter().map(LiveLogin::check)).await;
    LiveEvent::Tick { at_ms, outcomes }
}

async fn keep_fresh(run: Arc<LiveRun>, logins: Arc<Vec<LiveLogin>>) {
    let mut ticks = interval(PACE * 4);
    loop {
        ticks.tick().await;
        join_all(logins.iter().map(|login| login.freshen(&run))).await;
    }
}

/// Revokes one login after the other, at least 30 ms each: at once they would disturb each other's
/// measurement. Logins that only expiry ends come first, and are measured while the others are.
async fn revoke_when_told(run: Arc<LiveRun>, logins: Arc<Vec<LiveLogin>>) {
    run.until_revoked().await;
    let mut later = JoinSet::new();
    let (waiting, others): (Vec<_>, Vec<_>) = logins.iter().partition(|login| login.expires());
    for login in waiting.into_iter().chain(others) {
        let Some(pending) = login.revoke(&run).await else { continue };
        if pending.later {
            let run = run.clone();
            later.spawn(async move { pending.settle(&run).await });
        } else {
            pending.settle(&run).await;
        }
    }
    while later.join_next().await.is_some() {}
}
