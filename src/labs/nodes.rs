//! What an experiment works on: each strategy on two nodes that share their stores.

use std::sync::Arc;

use crate::auth::AuthStrategy;
use crate::clock::Clock;
use crate::identity::{Device, Role, Subject, UserId};
use crate::store::StoreError;
use crate::store::users::{User, Users};

/// A strategy on two nodes: each with its own connections and its own memory.
#[derive(Clone)]
pub struct NodePair {
    /// The node that opens and revokes the login.
    pub same: Arc<dyn AuthStrategy>,
    /// A node that only checks it.
    pub other: Arc<dyn AuthStrategy>,
}

impl NodePair {
    pub fn slug(&self) -> &'static str {
        self.same.describe().slug
    }
}

/// Finds or inserts the user that experiments open logins for. Nobody can sign in as this user.
pub async fn lab_user(users: &Users, number: usize) -> Result<Subject, StoreError> {
    // Nobody can register this name, and no password has this hash.
    let name = format!("(lab {number})");
    let user = User {
        id: UserId::random(),
        name: name.clone(),
        role: Role::User,
        password_hash: "!".to_owned(),
        is_disabled: false,
    };
    users.insert(&user, &name, Clock::system().now()).await?;
    let known = users.find(&name).await?.unwrap_or(user);
    Ok(Subject { id: known.id, name: known.name.into(), role: known.role })
}

pub fn lab_device() -> Device {
    Device { label: "an experiment".into(), address: "127.0.0.1".into() }
}
