//! `session`: an opaque id, and a record in a store that every node reads.

use std::sync::Arc;

use super::{
    BROWSER_HOLDS, DEVICES, LOGOUT, LOGOUT_EVERYWHERE, PASSWORD_CHANGE, SessionLimits, SessionStrategy, TRANSPORT,
};
use crate::auth::{Backend, CredentialKind, Description, Effect, Promise, Texts};
use crate::clock::Clock;
use crate::store::sessions::LoginStore;

impl<S: LoginStore> SessionStrategy<S> {
    /// Keeps records in a store that nodes share. With `Backend::None` this process keeps them, and `notice` says so.
    pub fn shared(
        store: Arc<S>,
        backend: Backend,
        notice: Option<String>,
        limits: SessionLimits,
        clock: Clock,
    ) -> Self {
        let is_shared = backend != Backend::None;
        let description = Description {
            slug: "session",
            kind: CredentialKind::Session,
            promise: Promise::Immediate,
            backend,
            shared: is_shared,
            signed_with: None,
            upkeep: is_shared.then(|| limits.upkeep()),
            max_copies: None,
            transport: TRANSPORT,
            revokes_single: true,
            lists_logins: true,
            texts: Texts {
                label: "Session in a shared store",
                summary: "An opaque id in a cookie. Every node reads the record from a shared store, for every request.",
                revocation: "The next request, on every node: the server has deleted the record.".to_owned(),
                store: store.step_names().held_in,
                browser_holds: BROWSER_HOLDS,
                server_holds: "A record of the login: whose it is, since when, from where, until when.",
                notice,
                devices: DEVICES,
                logout: LOGOUT,
                logout_everywhere: LOGOUT_EVERYWHERE,
                password_change: PASSWORD_CHANGE,
                gives_up: "Every request waits for the shared store. Without the store nobody can use a login.",
            },
        };
        Self { description, store, limits, clock, effect: Effect::Now }
    }
}
