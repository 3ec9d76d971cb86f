//! `session-memory`: an opaque id, and a record in this process.

use std::sync::Arc;

use super::{
    BROWSER_HOLDS, DEVICES, LOGOUT, LOGOUT_EVERYWHERE, PASSWORD_CHANGE, SessionLimits, SessionStrategy, TRANSPORT,
};
use crate::auth::{Backend, CredentialKind, Description, Effect, Promise, Texts};
use crate::clock::Clock;
use crate::store::sessions::LoginStore;

impl<S: LoginStore> SessionStrategy<S> {
    /// Keeps records in this process, always.
    pub fn in_process(store: Arc<S>, limits: SessionLimits, clock: Clock) -> Self {
        let description = Description {
            slug: "session-memory",
            kind: CredentialKind::Session,
            promise: Promise::Immediate,
            backend: Backend::None,
            shared: false,
            signed_with: None,
            upkeep: None,
            max_copies: None,
            transport: TRANSPORT,
            revokes_single: true,
            lists_logins: true,
            texts: Texts {
                label: "Session in process memory",
                summary: "An opaque id in a cookie. The record is in this process' memory.",
                revocation: "The next request, on this node only: no other node ever knew the login.".to_owned(),
                store: store.step_names().held_in,
                browser_holds: BROWSER_HOLDS,
                server_holds: "A record of the login in this process. A restart forgets it, another node never sees it.",
                notice: None,
                devices: DEVICES,
                logout: LOGOUT,
                logout_everywhere: LOGOUT_EVERYWHERE,
                password_change: PASSWORD_CHANGE,
                gives_up: "Only this process knows the login: no second node, and a restart logs everybody out.",
            },
        };
        Self { description, store, limits, clock, effect: Effect::Now }
    }
}
