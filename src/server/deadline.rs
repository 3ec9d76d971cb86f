//! A deadline that moves with every request.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// The longest time for which the timer is set. No deadline of a request is nearer, so most of them only change a number:
/// to set the timer of the runtime takes longer than to answer some requests.
const AT_ONCE: Duration = Duration::from_secs(15);

/// Sets its timer anew when it rings, or for a deadline before that.
pub(super) struct Deadline {
    at: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Deadline {
    pub fn new(at: Instant) -> Self {
        Self { at, timer: Box::pin(sleep_until(at.min(Instant::now() + AT_ONCE))) }
    }

    pub fn set(&mut self, at: Instant) {
        self.at = at;
        if at < self.timer.deadline() {
            self.timer.as_mut().reset(at);
        }
    }

    /// Sets the deadline, unless there is a nearer one.
    pub fn set_at_latest(&mut self, at: Instant) {
        if at < self.at {
            self.set(at);
        }
    }

    /// Whether the time is up. If not, the task is woken when it is.
    pub fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        while let Poll::Ready(()) = self.timer.as_mut().poll(cx) {
            let now = Instant::now();
            if now >= self.at {
                return true;
            }
            self.timer.as_mut().reset(self.at.min(now + AT_ONCE));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    async fn over(deadline: &mut Deadline) {
        poll_fn(|cx| if deadline.is_over(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// On a paused clock, which jumps ahead when every task waits.
    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_kept_wherever_it_moves() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut deadline = Deadline::new(after(75));
        over(&mut deadline).await;
        assert_eq!(start.elapsed(), Duration::from_secs(75));
        for (moved, kept) in [(&[80, 150][..], 150), (&[300, 160], 160), (&[200, 170, 240], 240)] {
            for seconds in moved {
                deadline.set(after(*seconds));
            }
            over(&mut deadline).await;
            assert_eq!(start.elapsed(), Duration::from_secs(kept));
        }
        deadline.set(after(400));
        deadline.set_at_latest(after(500));
        over(&mut deadline).await;
        assert_eq!(start.elapsed(), Duration::from_secs(400));
    }
}
