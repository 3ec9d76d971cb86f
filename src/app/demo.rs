//! The demo users: seeded for a workshop, locked where strangers can reach the server.

use std::net::SocketAddr;

use secrecy::{ExposeSecret as _, SecretString};

use super::exposure::is_local;
use crate::account::{HashError, Hasher, NewPassword, RejectedPassword, UserName};
use crate::clock::Clock;
use crate::config::Settings;
use crate::flow::{Demo, DemoUser};
use crate::identity::{Role, UserId};
use crate::store::ended_users::EndedUsers;
use crate::store::users::{User, Users};
use crate::store::{StoreError, random_secret};

/// The published demo password, used only where nobody else can reach the server.
const PASSWORD: &str = "two-doors-one-key";

const USERS: [(&str, Role); 3] = [("alice", Role::User), ("bob", Role::User), ("carol", Role::Presenter)];

/// Why the demo users could not be seeded or locked.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Hash(HashError),
    /// The published password is shorter than `--password-min`.
    #[error("the password of the demo users is refused: {0} Start with --no-demo")]
    Rejected(RejectedPassword),
    #[error("--demo-password: {0}")]
    Chosen(RejectedPassword),
}

impl From<HashError> for SeedError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Rejected(reason) => Self::Rejected(reason),
            other => Self::Hash(other),
        }
    }
}

/// Seeds the demo users if the settings want them, or if only this machine can reach the server.
pub(super) async fn seed_or_lock(
    settings: &Settings,
    address: SocketAddr,
    (users, ended): (&Users, &EndedUsers),
    hasher: &Hasher,
    clock: &Clock,
) -> Result<Option<Demo>, SeedError> {
    let is_local = is_local(settings, address);
    if settings.demo_wanted().unwrap_or(is_local) {
        let check = |chosen| check(chosen, hasher.password_min(), is_local).map_err(SeedError::Chosen);
        let chosen = settings.demo_password.as_ref().map(check).transpose()?;
        return seed(users, hasher, clock, chosen, is_local).await.map(Some);
    }
    // Another start may have seeded this database with a password that everybody knows. Who turns the demo users off on
    // loopback may do so because a tunnel lets strangers in.
    lock(users, ended, hasher).await?;
    Ok(None)
}

/// Refuses a password that somebody could guess. It is checked on loopback, too: the database may move to a server that
/// others can reach.
fn check(chosen: &SecretString, minimum: usize, is_local: bool) -> Result<String, RejectedPassword> {
    for (name, _) in USERS {
        NewPassword::parse(chosen, name, minimum)?;
    }
    let chosen = chosen.expose_secret();
    if chosen == PASSWORD && !is_local { Err(RejectedPassword::Common) } else { Ok(chosen.to_owned()) }
}

/// Adds the users that are missing. On loopback their password is always the same, and a user who changed it keeps the
/// change. Elsewhere they get a new random one at every start, and no page shows it. A chosen password is for all of them.
async fn seed(
    users: &Users,
    hasher: &Hasher,
    clock: &Clock,
    chosen: Option<String>,
    is_local: bool,
) -> Result<Demo, SeedError> {
    let keeps_changes = is_local && chosen.is_none();
    let password = match chosen {
        Some(chosen) => chosen,
        None if is_local => PASSWORD.to_owned(),
        None => random_secret()?,
    };
    let mut seeded = Vec::new();
    for (name, role) in USERS {
        let folded = UserName::fold(name);
        let has_password = match users.find(&folded).await? {
            Some(known) if keeps_changes => !known.is_disabled && has_password(hasher, &known, &password).await?,
            Some(known) => {
                let hash = hash(hasher, &password, name).await?;
                users.replace_hash(known.id, &known.password_hash, &hash).await? && !known.is_disabled
            }
            None => {
                let password_hash = hash(hasher, &password, name).await?;
                let user =
                    User { id: UserId::random(), name: name.to_owned(), role, password_hash, is_disabled: false };
                users.insert(&user, &folded, clock.now()).await?
            }
        };
        if has_password {
            seeded.push(DemoUser { name: name.to_owned(), role });
        }
    }
    Ok(Demo { printed: password.clone(), password: is_local.then_some(password), users: seeded })
}

/// Whether a demo user has the password that everybody knows: the database belongs to a server on loopback.
pub(super) async fn is_public(users: &Users, hasher: &Hasher) -> Result<bool, SeedError> {
    for (name, _) in USERS {
        let Some(known) = users.find(&UserName::fold(name)).await? else { continue };
        if has_password(hasher, &known, PASSWORD).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Replaces the password that everybody knows by a random one, for every demo user who still has it, and ends the logins
/// that anybody may have opened with it.
async fn lock(users: &Users, ended: &EndedUsers, hasher: &Hasher) -> Result<(), SeedError> {
    for (name, _) in USERS {
        let Some(known) = users.find(&UserName::fold(name)).await? else { continue };
        if has_password(hasher, &known, PASSWORD).await? {
            let hash = hash(hasher, &random_secret()?, name).await?;
            if users.replace_hash(known.id, &known.password_hash, &hash).await? {
                ended.end_logins(known.id).await?;
                tracing::warn!(name, "a demo user had the password that everybody knows: the server set a random one");
            }
        }
    }
    Ok(())
}

async fn has_password(hasher: &Hasher, user: &User, password: &str) -> Result<bool, HashError> {
    hasher.verify(SecretString::from(password), Some(user.password_hash.clone())).await
}

async fn hash(hasher: &Hasher, password: &str, name: &str) -> Result<String, HashError> {
    hasher.hash(SecretString::from(password), name.to_owned()).await
}
