//! `session-sql`: an opaque id, and a record in the SQL database.

use std::sync::Arc;

use super::{
    BROWSER_HOLDS, DEVICES, LOGOUT, LOGOUT_EVERYWHERE, PASSWORD_CHANGE, SessionLimits, SessionStrategy, TRANSPORT,
};
use crate::auth::{Backend, CredentialKind, Description, Effect, Promise, Texts};
use crate::clock::Clock;
use crate::store::sessions::LoginStore;

impl<S: LoginStore> SessionStrategy<S> {
    /// Keeps records in the SQL database.
    pub fn in_sql(store: Arc<S>, limits: SessionLimits, clock: Clock) -> Self {
        let description = Description {
            slug: "session-sql",
            kind: CredentialKind::Session,
            promise: Promise::Immediate,
            backend: Backend::Sql,
            shared: true,
            signed_with: None,
            upkeep: Some(limits.upkeep()),
            max_copies: None,
            transport: TRANSPORT,
            revokes_single: true,
            lists_logins: true,
            texts: Texts {
                label: "Session in the SQL database",
                summary: "An opaque id in a cookie. The record is in the SQL database, next to the users.",
                revocation: "The next request, on every node: the server has deleted the row.".to_owned(),
                store: store.step_names().held_in,
                browser_holds: BROWSER_HOLDS,
                server_holds: "A record of the login: whose it is, since when, from where, until when.",
                notice: None,
                devices: DEVICES,
                logout: LOGOUT,
                logout_everywhere: LOGOUT_EVERYWHERE,
                password_change: PASSWORD_CHANGE,
                gives_up: "Every request is a statement to the SQL database, the store that is hardest to scale.",
            },
        };
        Self { description, store, limits, clock, effect: Effect::Now }
    }
}
