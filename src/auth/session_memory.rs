//! `session-memory`: an opaque id, and a record in this process.

use std::sync::Arc;

use super::session::describe;
use super::{Description, Effect, SessionLimits, SessionStrategy};
use crate::clock::Clock;
use crate::store::sessions::LoginStore;

impl<S: LoginStore> SessionStrategy<S> {
    /// Under `/session-memory`: records in this process, always.
    pub fn in_process(store: Arc<S>, limits: SessionLimits, clock: Clock) -> Self {
        let description = Description {
            slug: "session-memory",
            label: "Session in process memory",
            summary: "An opaque id in a cookie; the record is in this process' memory.",
            revocation: "The next request, on this node only: no other node ever knew the login.".to_owned(),
            server_holds: "A record of the login in this process: a restart forgets it, another node never sees it.",
            shared: false,
            gives_up: "Only this process knows the login: no second node, and a restart signs everybody out.",
            ..describe(store.commands().held_in)
        };
        Self { description, store, limits, clock, effect: Effect::Now }
    }
}
