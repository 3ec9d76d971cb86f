//! `session-sql`: an opaque id, and a record in the SQL database.

use std::sync::Arc;

use super::session::describe;
use super::{Description, Effect, Need, SessionLimits, SessionStrategy};
use crate::clock::Clock;
use crate::store::sessions::LoginStore;

impl<S: LoginStore> SessionStrategy<S> {
    /// Under `/session-sql`: records in the SQL database.
    pub fn in_sql(store: Arc<S>, limits: SessionLimits, clock: Clock) -> Self {
        let description = Description {
            slug: "session-sql",
            label: "Session in the SQL database",
            summary: "An opaque id in a cookie; the record is in the SQL database, next to the users.",
            revocation: "The next request, on every node: the row is gone.".to_owned(),
            needs: Need::Sql,
            upkeep: Some(limits.upkeep()),
            gives_up: "Every request is a statement to the SQL database, the store that is hardest to scale.",
            ..describe(store.commands().held_in)
        };
        Self { description, store, limits, clock, effect: Effect::Now }
    }
}
