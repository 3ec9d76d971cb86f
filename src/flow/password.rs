//! `M/password`: a new password ends every other login and renews this one.

use poem::http::StatusCode;
use poem::web::Form;
use poem::{Response, handler};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::visit::Visit;
use crate::auth::{AuthStrategy, Effect, Identity, Reach};
use crate::error::Error;
use crate::trace::StepKind;

/// The fields of the form.
#[derive(Deserialize)]
pub(super) struct PasswordForm {
    #[serde(default)]
    current_password: SecretString,
    #[serde(default)]
    new_password: SecretString,
}

/// `GET M/password`.
#[handler]
pub(super) async fn form(visit: Visit) -> Result<Response, Error> {
    visit.signed_in().await?;
    show(&visit, StatusCode::OK, None).await
}

/// `POST M/password`.
#[handler]
pub(super) async fn submit(visit: Visit, Form(fields): Form<PasswordForm>) -> Result<Response, Error> {
    let identity = visit.signed_in().await?;
    if let Err((status, sentence)) = replace(&visit, identity, fields).await? {
        return show(&visit, status, Some(&sentence)).await;
    }
    let lines = end_others(&visit, identity).await?;
    let grant = visit.strategy().issue(&identity.subject, visit.device(), visit.trace()).await?;
    visit.hand_over(&grant);
    let context = json!({ "done": { "lines": lines }, "message": null, "effect": null });
    visit.page("password.html", "Password changed", context).await
}

/// Stores the new hash if the current password is right and nobody changed it meanwhile. Otherwise status and sentence.
async fn replace(
    visit: &Visit,
    identity: &Identity,
    fields: PasswordForm,
) -> Result<Result<(), (StatusCode, String)>, Error> {
    let shared = visit.shared();
    let wrong = || Ok(Err((StatusCode::UNAUTHORIZED, "The current password is wrong.".to_owned())));
    shared.rates.check(visit.address(), &crate::account::UserName::fold(&identity.subject.name))?;
    let timer = visit.trace().timer();
    let user = shared.users.get(identity.subject.id).await;
    visit.trace().step(StepKind::Database, timer, || format!("{}: SELECT the user", shared.users.store()));
    let user = user?;
    let timer = visit.trace().timer();
    let matches =
        shared.hasher.verify(fields.current_password, user.as_ref().map(|user| user.password_hash.clone())).await;
    visit.trace().step(StepKind::Hash, timer, || "argon2id: the current password");
    let (Some(user), true) = (user, matches?) else { return wrong() };
    let timer = visit.trace().timer();
    let hashed = shared.hasher.hash(fields.new_password, user.name.clone()).await;
    visit.trace().step(StepKind::Hash, timer, || "new password judged (zxcvbn) and hashed (argon2id)");
    let hash = match hashed? {
        Ok(hash) => hash,
        Err(sentence) => return Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, sentence))),
    };
    let timer = visit.trace().timer();
    let replaced = shared.users.replace_hash(user.id, &user.password_hash, &hash).await;
    visit.trace().step(StepKind::Database, timer, || {
        format!("{}: UPDATE the hash, only if it still is the old one", shared.users.store())
    });
    match replaced {
        Ok(true) => Ok(Ok(())),
        Ok(false) => wrong(),
        // Nobody knows whether it was carried out. If it was, the other logins must end.
        Err(error) => {
            end_others(visit, identity).await?;
            Err(Error::HalfChanged(error.into()))
        }
    }
}

/// Ends every login of the user under every mount, this one included. A sentence for each mount.
///
/// The password is already the new one: what cannot be ended now is told, and never passed off as ended.
async fn end_others(visit: &Visit, identity: &Identity) -> Result<Vec<String>, Error> {
    let mut lines = vec!["The new password counts from now on, under every mount.".to_owned()];
    let here = visit.strategy().describe().slug;
    let mine = visit.revoke(identity, Reach::Everywhere).await;
    lines.push(format!("/{here}: {} This one was renewed.", visit.strategy().describe().password_change));
    for other in visit.mount().strategies.iter().filter(|strategy| strategy.describe().slug != here) {
        lines.push(end_under(other.as_ref(), visit, identity).await);
    }
    // Told last: what could be ended elsewhere was.
    mine.map_err(Error::HalfChanged)?;
    Ok(lines)
}

async fn end_under(strategy: &dyn AuthStrategy, visit: &Visit, identity: &Identity) -> String {
    let description = strategy.describe();
    match visit.revoke_under(strategy, identity, Reach::Everywhere).await {
        Ok(Effect::Now | Effect::Within(_)) => format!("/{}: every login of yours has ended.", description.slug),
        Ok(Effect::At(end)) => {
            format!("/{}: tokens of yours are accepted until {end} at the latest.", description.slug)
        }
        Err(failure) => {
            tracing::error!(strategy = description.slug, error = %failure, "a password change could not end logins");
            format!(
                "/{}: not sure! A store does not answer; log out everywhere there when it is back.",
                description.slug
            )
        }
    }
}

async fn show(visit: &Visit, status: StatusCode, message: Option<&str>) -> Result<Response, Error> {
    let effect = visit.strategy().describe().password_change;
    let context = json!({ "done": null, "message": message, "effect": effect });
    visit.page_with(status, "password.html", "Change the password", context).await
}
