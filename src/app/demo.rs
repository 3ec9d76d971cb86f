//! The users of a workshop.

use secrecy::SecretString;

use crate::account::{Hasher, UserName};
use crate::auth::{Role, UserId};
use crate::clock::Clock;
use crate::flow::{Demo, DemoUser};
use crate::store::random_secret;
use crate::store::users::{User, Users};

/// Known to everybody, and only used where nobody else can reach the server.
const PASSWORD: &str = "two-doors-one-key";

const USERS: [(&str, Role); 3] = [("alice", Role::User), ("bob", Role::User), ("carol", Role::Presenter)];

/// Adds the users that are missing. On loopback their password is always the same, and who changed it keeps the change.
/// Elsewhere they get a new random one at every start, and pages do not show it.
pub(super) async fn seed(users: &Users, hasher: &Hasher, clock: &Clock, here: bool) -> Result<Demo, String> {
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
        let hash = hasher.hash(secret(), name.to_owned()).await.map_err(|error| text(&error))??;
        return users.replace_hash(known.id, &known.password_hash, &hash).await.map_err(|error| text(&error));
    }
    let password_hash = hasher.hash(secret(), name.to_owned()).await.map_err(|error| text(&error))??;
    let user = User { id: UserId::random(), name: name.to_owned(), role, password_hash };
    users.insert(&user, &folded, clock.now()).await.map_err(|error| text(&error))
}

/// Takes the password that everybody knows away from whoever still has it.
pub(super) async fn lock(users: &Users, hasher: &Hasher) -> Result<(), String> {
    for (name, _) in USERS {
        let Some(known) = users.find(&UserName::fold(name)).await.map_err(|error| error.to_string())? else { continue };
        let public = hasher.verify(SecretString::from(PASSWORD), Some(known.password_hash.clone())).await;
        if public.map_err(|error| error.to_string())? {
            let secret = SecretString::from(random_secret().map_err(|error| error.to_string())?);
            let hash = hasher.hash(secret, name.to_owned()).await.map_err(|error| error.to_string())??;
            users.replace_hash(known.id, &known.password_hash, &hash).await.map_err(|error| error.to_string())?;
            tracing::warn!(name, "a demo user had the password that everybody knows: it was replaced by a random one");
        }
    }
    Ok(())
}
