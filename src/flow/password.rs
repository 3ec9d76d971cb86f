//! `M/password`: a new password revokes every other login and renews this one.

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::Form;
use poem::{Response, handler};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::context::RequestContext;
use crate::account::{HashError, RejectedPassword, UserName};
use crate::auth::{AuthStrategy, Effect, Identity, RevokeScope};
use crate::error::Error;
use crate::security_log::{PasswordChangeRefusal, RevocationCause, SecurityEvent};
use crate::trace::StepKind;

#[derive(Deserialize)]
pub(super) struct PasswordForm {
    #[serde(default)]
    current_password: SecretString,
    #[serde(default)]
    new_password: SecretString,
}

/// What became of a password change.
enum PasswordChange {
    Changed,
    /// The current password is wrong, or somebody changed it meanwhile.
    WrongCurrent,
    RejectedNew(RejectedPassword),
}

/// `GET M/password`.
#[handler]
pub(super) async fn form(request: RequestContext) -> Result<Response, Error> {
    request.require_login().await?;
    show(&request, StatusCode::OK, None).await
}

/// `POST M/password`.
#[handler]
pub(super) async fn submit(request: RequestContext, Form(fields): Form<PasswordForm>) -> Result<Response, Error> {
    let identity = request.require_login().await?;
    let (status, message) = match change(&request, identity, fields).await? {
        PasswordChange::Changed => {
            request.record(identity, &SecurityEvent::PasswordChanged);
            let lines = revoke_others(&request, identity).await?;
            let grant = request.strategy().issue(&identity.subject, request.device(), request.trace()).await?;
            request.record(&grant.identity, &SecurityEvent::LoginAccepted);
            request.set_credentials(&grant);
            let context = json!({ "done": { "lines": lines }, "message": null, "effect": null });
            return request.page("password.html", "Password changed", context).await;
        }
        PasswordChange::WrongCurrent => {
            record_refusal(&request, identity, PasswordChangeRefusal::WrongCurrentPassword);
            (StatusCode::UNAUTHORIZED, "The current password is wrong.".to_owned())
        }
        PasswordChange::RejectedNew(reason) => {
            record_refusal(&request, identity, PasswordChangeRefusal::NewPasswordRejected);
            (StatusCode::UNPROCESSABLE_ENTITY, reason.to_string())
        }
    };
    show(&request, status, Some(&message)).await
}

/// Checks the current password and stores the hash of the new one.
async fn change(request: &RequestContext, identity: &Identity, fields: PasswordForm) -> Result<PasswordChange, Error> {
    let (services, trace) = (request.services(), request.trace());
    let users = &services.users;
    services.rate_limits.check(request.address(), &UserName::fold(&identity.subject.name))?;
    let words = |_: &_| format!("{}: SELECT the user", users.store());
    let user = trace.timed(StepKind::Database, words, users.get(identity.subject.id)).await?;
    let known_hash = user.as_ref().map(|user| user.password_hash.clone());
    let checking = services.hasher.verify(fields.current_password, known_hash);
    let matches = trace.timed(StepKind::Hash, |_| "argon2id: the current password", checking).await?;
    let (Some(user), true) = (user, matches) else { return Ok(PasswordChange::WrongCurrent) };
    let words = |_: &_| "new password rated (zxcvbn) and hashed (argon2id)";
    let hashing = services.hasher.hash(fields.new_password, user.name.clone());
    let hash = match trace.timed(StepKind::Hash, words, hashing).await {
        Err(HashError::Rejected(reason)) => return Ok(PasswordChange::RejectedNew(reason)),
        hashed => hashed?,
    };
    let words = |_: &_| format!("{}: UPDATE the hash, if it is still the old one", users.store());
    let replacing = users.replace_hash(user.id, &user.password_hash, &hash);
    match trace.timed(StepKind::Database, words, replacing).await {
        Ok(true) => Ok(PasswordChange::Changed),
        Ok(false) => Ok(PasswordChange::WrongCurrent),
        // The database may have stored it. Then the logins that the old password opened must end.
        Err(error) => {
            record_refusal(request, identity, PasswordChangeRefusal::Unconfirmed);
            Err(Error::PasswordUnknown { error, logins: revoke_all(request, identity).await })
        }
    }
}

fn record_refusal(request: &RequestContext, identity: &Identity, reason: PasswordChangeRefusal) {
    request.record(identity, &SecurityEvent::PasswordChangeRefused { reason });
}

/// Revokes every login of the user under every mount, this one included, after the password was changed.
///
/// Returns a sentence for each mount. It says where the server could not revoke the logins.
async fn revoke_others(request: &RequestContext, identity: &Identity) -> Result<Vec<String>, Error> {
    let (mount, description) = (request.mount(), request.strategy().describe());
    let mine = request.revoke(identity, RevokeScope::Everywhere, RevocationCause::PasswordChange).await;
    let mut lines = vec![
        "The new password is valid from now on, under every mount.".to_owned(),
        format!("{}: {} The server renewed this login.", mount.base(), description.texts.password_change),
    ];
    for other in mount.strategies.iter().filter(|strategy| !Arc::ptr_eq(strategy, &mount.strategy)) {
        lines.push(revoke_under(other.as_ref(), request, identity).await);
    }
    // Last: a failure here must not keep the other mounts from revoking.
    mine.map_err(Error::OthersNotRevoked)?;
    Ok(lines)
}

/// Revokes every login of the user under every mount. Returns a sentence for each.
async fn revoke_all(request: &RequestContext, identity: &Identity) -> String {
    let mut lines = Vec::new();
    for strategy in request.mount().strategies.iter() {
        lines.push(revoke_under(strategy.as_ref(), request, identity).await);
    }
    lines.join(" ")
}

async fn revoke_under(strategy: &dyn AuthStrategy, request: &RequestContext, identity: &Identity) -> String {
    let slug = strategy.describe().slug;
    match request.revoke_under(strategy, identity, RevokeScope::Everywhere, RevocationCause::PasswordChange).await {
        Ok(Effect::Now | Effect::Within(_)) => format!("/{slug}: the server revoked every login of yours."),
        Ok(Effect::At(end)) => {
            format!("/{slug}: the server accepts your tokens until they expire, {end} at the latest.")
        }
        Err(failure) => {
            tracing::error!(strategy = slug, error = %failure, "a password change could not revoke logins");
            format!(
                "/{slug}: your logins may go on! A store does not answer. Log out everywhere there when it is back."
            )
        }
    }
}

async fn show(request: &RequestContext, status: StatusCode, message: Option<&str>) -> Result<Response, Error> {
    let effect = request.strategy().describe().texts.password_change;
    let context = json!({ "done": null, "message": message, "effect": effect });
    request.page_with(status, "password.html", "Change the password", context).await
}
