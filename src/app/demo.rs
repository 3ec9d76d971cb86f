//! The users of a workshop.

use std::net::SocketAddr;

use secrecy::SecretString;
use url::{Host, Url};

use super::StartError;
use crate::account::{Hasher, UserName};
use crate::clock::Clock;
use crate::config::Settings;
use crate::flow::{Demo, DemoUser};
use crate::identity::{Role, UserId};
use crate::store::random_secret;
use crate::store::users::{User, Users};

/// Known to everybody, and only used where nobody else can reach the server.
const PASSWORD: &str = "two-doors-one-key";

const USERS: [(&str, Role); 3] = [("alice", Role::User), ("bob", Role::User), ("carol", Role::Presenter)];

/// Seeds the demo users where they are wanted, or where only this machine can reach them.
pub(super) async fn seed_or_lock(
    settings: &Settings,
    address: SocketAddr,
    users: &Users,
    hasher: &Hasher,
    clock: &Clock,
) -> Result<Option<Demo>, StartError> {
    let here = address.ip().is_loopback() && settings.public_url.as_ref().is_none_or(is_loopback);
    if !settings.demo_wanted().unwrap_or(here) {
        // A start on loopback may have seeded this database with a password that everybody knows.
        let locked = if here { Ok(()) } else { lock(users, hasher).await };
        return locked.map(|()| None).map_err(StartError::Demo);
    }
    seed(users, hasher, clock, here).await.map(Some).map_err(StartError::Demo)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Adds the users that are missing. On loopback their password is always the same, and who changed it keeps the change.
/// Elsewhere they get a new random one at every start, and pages do not show it.
async fn seed(users: &Users, hasher: &Hasher, clock: &Clock, here: bool) -> Result<Demo, String> {
    let password = if here { PASSWORD.to_owned() } else { random_secret().map_err(|error| error.to_string())? };
    let mut seeded = Vec::new();
    for (name, role) in USERS {
        let as_seeded = seed_one(users, hasher, clock, name, role, &password, here).await?;
        if as_seeded {
            seeded.push(DemoUser { name: name.to_owned(), role });
        }
    }
    Ok(Demo { printed: password.clone(), password: here.then_some(password), users: seeded })
}

/// Whether the user has the demo password now.
async fn seed_one(
    users: &Users,
    hasher: &Hasher,
    clock: &Clock,
    name: &str,
    role: Role,
    password: &str,
    here: bool,
) -> Result<bool, String> {
    let secret = || SecretString::from(password);
    let folded = UserName::fold(name);
    let text = |error: &dyn std::error::Error| error.to_string();
    if let Some(known) = users.find(&folded).await.map_err(|error| text(&error))? {
        if here {
            return hasher.verify(secret(), Some(known.password_hash)).await.map_err(|error| text(&error));
        }
        let hash = hasher.hash(secret(), name.to_owned()).await.map_err(|error| text(&error))?;
        return users.replace_hash(known.id, &known.password_hash, &hash).await.map_err(|error| text(&error));
    }
    let password_hash = hasher.hash(secret(), name.to_owned()).await.map_err(|error| text(&error))?;
    let user = User { id: UserId::random(), name: name.to_owned(), role, password_hash };
    users.insert(&user, &folded, clock.now()).await.map_err(|error| text(&error))
}

/// Takes the password that everybody knows away from whoever still has it.
async fn lock(users: &Users, hasher: &Hasher) -> Result<(), String> {
    for (name, _) in USERS {
        let Some(known) = users.find(&UserName::fold(name)).await.map_err(|error| error.to_string())? else { continue };
        let public = hasher.verify(SecretString::from(PASSWORD), Some(known.password_hash.clone())).await;
        if public.map_err(|error| error.to_string())? {
            let secret = SecretString::from(random_secret().map_err(|error| error.to_string())?);
            let hash = hasher.hash(secret, name.to_owned()).await.map_err(|error| error.to_string())?;
            users.replace_hash(known.id, &known.password_hash, &hash).await.map_err(|error| error.to_string())?;
            tracing::warn!(name, "a demo user had the password that everybody knows: it was replaced by a random one");
        }
    }
    Ok(())
}
