//! What moves a run: the steady questions, the revoke, the end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesOrdered;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::login::LiveLogin;
use super::{LONGEST, LiveEvent, LiveRun, PACE};

/// How long a run goes on that nobody watches: as long as a browser takes to come back.
const UNWATCHED: Duration = Duration::from_secs(5);

/// How long the questions go on after everything is settled, so that one sees it.
const AFTERMATH: Duration = Duration::from_secs(1);

/// From the first login to the last answer.
pub(super) async fn run_loop(run: Arc<LiveRun>, lanes: Vec<LiveLogin>, mut closing: watch::Receiver<bool>) {
    let lanes = Arc::new(lanes);
    join_all(lanes.iter().map(|lane| lane.open(&run))).await;
    let end = Instant::now() + LONGEST;
    let mut work = JoinSet::new();
    work.spawn(keep_fresh(run.clone(), lanes.clone()));
    work.spawn(revoke_when_told(run.clone(), lanes.clone()));
    tokio::select! {
        () = ask_steadily(&run, &lanes) => {}
        () = sleep_until(end) => {}
        _ = closing.wait_for(|closing| *closing) => {}
    }
    work.shutdown().await;
    run.log().end();
    join_all(lanes.iter().map(LiveLogin::close)).await;
}

/// Until everything is settled, or nobody watches.
async fn ask_steadily(run: &LiveRun, lanes: &[LiveLogin]) {
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut watched, mut settled) = (Instant::now(), None);
    // Asked without waiting for the answer before, and told in the order of asking: an answer that comes late belongs
    // to its question, and must not look like a login that came back.
    let mut questions = FuturesOrdered::new();
    loop {
        tokio::select! {
            Some(told) = questions.next() => {
                run.log().push(told);
                continue;
            }
            _ = ticks.tick() => questions.push_back(ask(run, lanes)),
        }
        if run.log().watchers() > 0 {
            watched = Instant::now();
        }
        if settled.is_none() && run.states().iter().all(super::LoginState::is_final) {
            settled = Some(Instant::now());
        }
        let over = settled.is_some_and(|settled: Instant| settled.elapsed() > AFTERMATH);
        if over || watched.elapsed() > UNWATCHED {
            return;
        }
    }
}

async fn ask(run: &LiveRun, lanes: &[LiveLogin]) -> LiveEvent {
    let at_ms = run.now_ms();
    let answers = join_all(lanes.iter().map(LiveLogin::ask)).await;
    LiveEvent::Tick { at_ms, answers }
}

async fn keep_fresh(run: Arc<LiveRun>, lanes: Arc<Vec<LiveLogin>>) {
    let mut ticks = interval(PACE * 4);
    loop {
        ticks.tick().await;
        join_all(lanes.iter().map(|lane| lane.freshen(&run))).await;
    }
}

/// One lane after the other, a few hundredths of a second each: measured at once they would measure each other. What
/// waits for expiry goes first, and is measured while the others are.
async fn revoke_when_told(run: Arc<LiveRun>, lanes: Arc<Vec<LiveLogin>>) {
    if run.revoked.subscribe().wait_for(|revoked| *revoked).await.is_err() {
        return;
    }
    let mut later = JoinSet::new();
    let (waiting, others): (Vec<_>, Vec<_>) = lanes.iter().partition(|lane| lane.expires());
    for lane in waiting.into_iter().chain(others) {
        let Some(rest) = lane.revoke(&run).await else { continue };
        if rest.later {
            let run = run.clone();
            later.spawn(async move { rest.settle(&run).await });
        } else {
            rest.settle(&run).await;
        }
    }
    while later.join_next().await.is_some() {}
}
