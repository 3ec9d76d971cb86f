//! `GET M/events`: tells an open page that its login was ended (server-sent events), where the strategy can know.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream;
use poem::handler;
use poem::web::sse::{Event, SSE};
use sha2::{Digest as _, Sha256};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep};

use super::context::RequestContext;
use crate::auth::Promise;
use crate::error::Error;
use crate::trace::Trace;

/// How often the strategy is asked when nothing was heard: another node may have ended the login.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// A stream ends by itself after this long; the browser comes back.
const LIFE: Duration = Duration::from_mins(5);

/// How many streams one login may have open on a node: each asks for it every two seconds. A browser has one, of the tab
/// that is looked at, and for a while those of pages that were left: only a write finds that nobody reads it.
const PER_LOGIN: usize = 16;

/// What wakes the streams of a node.
#[derive(Debug)]
pub struct LoginEvents {
    open: OpenStreams,
    revoked: watch::Sender<u64>,
    closing: watch::Sender<bool>,
}

impl Default for LoginEvents {
    fn default() -> Self {
        Self { open: OpenStreams::default(), revoked: watch::Sender::new(0), closing: watch::Sender::new(false) }
    }
}

impl LoginEvents {
    /// Some login was ended on this node: whoever waits should look.
    pub fn revoked(&self) {
        self.revoked.send_modify(|count| *count += 1);
    }

    /// The server stops: streams end, so that they do not hold it up.
    pub fn closing(&self) {
        self.closing.send_replace(true);
    }
}

/// The open streams of each credential, the oldest first, under its hash: told apart without a question to a store.
#[derive(Debug, Default)]
struct OpenStreams(Mutex<HashMap<[u8; 32], Vec<oneshot::Sender<()>>>>);

impl OpenStreams {
    /// A place for one more stream, in exchange for the oldest if there is none left. It answers when it is lost.
    fn take(&self, credential: &str) -> oneshot::Receiver<()> {
        let (held, lost) = oneshot::channel();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // No more than there are connections: looked through at every start, so that nothing is left of those that ended.
        open.retain(|_, streams| {
            streams.retain(|stream| !stream.is_closed());
            !streams.is_empty()
        });
        let streams = open.entry(Sha256::digest(credential).into()).or_default();
        if streams.len() >= PER_LOGIN {
            streams.remove(0);
        }
        streams.push(held);
        lost
    }
}

/// One stream.
struct LoginWatch {
    lost: oneshot::Receiver<()>,
    request: RequestContext,
    revoked: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    until: Instant,
}

/// One event, `ended`, when the login is no longer accepted. A store that does not answer says nothing.
#[handler]
pub(super) fn listen(request: RequestContext) -> Result<SSE, Error> {
    if matches!(request.strategy().describe().promise, Promise::Expiry { .. }) {
        return Err(Error::NotFound);
    }
    let news = &request.services().login_events;
    // Whoever brings no credential is told at once, and needs no place for long.
    let lost = news.open.take(request.credential().unwrap_or_default());
    let (revoked, closing) = (news.revoked.subscribe(), news.closing.subscribe());
    let watch = LoginWatch { lost, request, revoked, closing, until: Instant::now() + LIFE };
    let events = stream::unfold(Some(watch), async |watch| {
        let mut watch = watch?;
        watch.ended().await.then(|| (Event::message("this login was ended").event_type("ended"), None))
    });
    Ok(SSE::new(events).keep_alive(Duration::from_secs(20)))
}

impl LoginWatch {
    /// Waits until the login has ended; false if the stream ends before.
    async fn ended(&mut self) -> bool {
        while Instant::now() < self.until && !*self.closing.borrow() {
            self.revoked.mark_unchanged();
            if let Ok(None) = self.request.check_passively(&Trace::off()).await {
                return true;
            }
            tokio::select! {
                () = sleep(ASK_EVERY) => {}
                _ = self.revoked.changed() => {}
                _ = self.closing.changed() => {}
                _ = &mut self.lost => return false,
            }
        }
        false
    }
}
