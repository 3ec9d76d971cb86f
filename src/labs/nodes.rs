//! What an experiment works on: the same strategies twice, as on two servers that share their stores.

use std::sync::Arc;

use crate::auth::AuthStrategy;
use crate::clock::Clock;
use crate::identity::{Device, Role, Subject, UserId};
use crate::store::StoreError;
use crate::store::users::{User, Users};

/// A strategy on two nodes: each with its own connections and its own memory.
#[derive(Clone)]
pub struct NodePair {
    /// Where the login is opened and revoked.
    pub same: Arc<dyn AuthStrategy>,
    /// Where it is only used.
    pub other: Arc<dyn AuthStrategy>,
}

impl NodePair {
    /// The strategy's name.
    pub fn slug(&self) -> &'static str {
        self.same.describe().slug
    }
}

/// What the experiments open logins for: a user that nobody can sign in as.
pub async fn lab_user(users: &Users, number: usize) -> Result<Subject, StoreError> {
    // Not a name that can be registered, and not a hash that a password has.
    let name = format!("(lab {number})");
    let user = User { id: UserId::random(), name: name.clone(), role: Role::User, password_hash: "!".to_owned() };
    users.insert(&user, &name, Clock::system().now()).await?;
    let known = users.find(&name).await?.unwrap_or(user);
    Ok(Subject { id: known.id, name: known.name.into(), role: known.role })
}

/// Where the experiments' logins come from.
pub fn lab_device() -> Device {
    Device { label: "an experiment".into(), address: "127.0.0.1".into() }
}
