//! `M/password`: a new password ends every other login and renews this one.

use poem::http::StatusCode;
use poem::web::Form;
use poem::{Response, handler};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::context::RequestContext;
use crate::auth::{AuthStrategy, Effect, Identity, RevokeScope};
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
pub(super) async fn form(request: RequestContext) -> Result<Response, Error> {
    request.signed_in().await?;
    show(&request, StatusCode::OK, None).await
}

/// `POST M/password`.
#[handler]
pub(super) async fn submit(request: RequestContext, Form(fields): Form<PasswordForm>) -> Result<Response, Error> {
    let identity = request.signed_in().await?;
    if let Err((status, sentence)) = replace(&request, identity, fields).await? {
        return show(&request, status, Some(&sentence)).await;
    }
    let lines = end_others(&request, identity).await?;
    let grant = request.strategy().issue(&identity.subject, request.device(), request.trace()).await?;
    request.set_credentials(&grant);
    let context = json!({ "done": { "lines": lines }, "message": null, "effect": null });
    request.page("password.html", "Password changed", context).await
}

/// Stores the new hash if the current password is right and nobody changed it meanwhile. Otherwise status and sentence.
async fn replace(
    request: &RequestContext,
    identity: &Identity,
    fields: PasswordForm,
) -> Result<Result<(), (StatusCode, String)>, Error> {
    let services = request.services();
    let wrong = || Ok(Err((StatusCode::UNAUTHORIZED, "The current password is wrong.".to_owned())));
    services.rate_limits.check(request.address(), &crate::account::UserName::fold(&identity.subject.name))?;
    let timer = request.trace().timer();
    let user = services.users.get(identity.subject.id).await;
    request.trace().step(StepKind::Database, timer, || format!("{}: SELECT the user", services.users.store()));
    let user = user?;
    let timer = request.trace().timer();
    let matches =
        services.hasher.verify(fields.current_password, user.as_ref().map(|user| user.password_hash.clone())).await;
    request.trace().step(StepKind::Hash, timer, || "argon2id: the current password");
    let (Some(user), true) = (user, matches?) else { return wrong() };
    let timer = request.trace().timer();
    let hashed = services.hasher.hash(fields.new_password, user.name.clone()).await;
    request.trace().step(StepKind::Hash, timer, || "new password judged (zxcvbn) and hashed (argon2id)");
    let hash = match hashed? {
        Ok(hash) => hash,
        Err(sentence) => return Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, sentence))),
    };
    let timer = request.trace().timer();
    let replaced = services.users.replace_hash(user.id, &user.password_hash, &hash).await;
    request.trace().step(StepKind::Database, timer, || {
        format!("{}: UPDATE the hash, only if it still is the old one", services.users.store())
    });
    match replaced {
        Ok(true) => Ok(Ok(())),
        Ok(false) => wrong(),
        // Nobody knows whether it was carried out. If it was, the other logins must end.
        Err(error) => {
            end_others(request, identity).await?;
            Err(Error::HalfChanged(error.into()))
        }
    }
}

/// Ends every login of the user under every mount, this one included. A sentence for each mount.
///
/// The password is already the new one: what cannot be ended now is told, and never passed off as ended.
async fn end_others(request: &RequestContext, identity: &Identity) -> Result<Vec<String>, Error> {
    let mut lines = vec!["The new password counts from now on, under every mount.".to_owned()];
    let here = request.strategy().describe().slug;
    let mine = request.revoke(identity, RevokeScope::Everywhere).await;
    lines.push(format!("/{here}: {} This one was renewed.", request.strategy().describe().texts.password_change));
    for other in request.mount().strategies.iter().filter(|strategy| strategy.describe().slug != here) {
        lines.push(end_under(other.as_ref(), request, identity).await);
    }
    // Told last: what could be ended elsewhere was.
    mine.map_err(Error::HalfChanged)?;
    Ok(lines)
}

async fn end_under(strategy: &dyn AuthStrategy, request: &RequestContext, identity: &Identity) -> String {
    let description = strategy.describe();
    match request.revoke_under(strategy, identity, RevokeScope::Everywhere).await {
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

async fn show(request: &RequestContext, status: StatusCode, message: Option<&str>) -> Result<Response, Error> {
    let effect = request.strategy().describe().texts.password_change;
    let context = json!({ "done": null, "message": message, "effect": effect });
    request.page_with(status, "password.html", "Change the password", context).await
}
