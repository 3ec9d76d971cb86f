//! `M/password`: a new password revokes every other login and renews this one. `M/password/changed` says what that did.

use std::sync::Arc;

use minijinja::{Value, context};
use poem::http::StatusCode;
use poem::web::{Form, Query};
use poem::{Response, handler};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::changes_under_way::ChangeUnderWay;
use super::context::{RequestContext, see_other};
use super::rate_limits::PasswordTry;
use crate::account::{HashError, RejectedPassword, UserName};
use crate::auth::{AuthStrategy, Effect, Identity, RevokeScope};
use crate::error::Error;
use crate::security_log::{PasswordChangeRefusal, RevocationCause, SecurityEvent};
use crate::store::users::User;
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
    /// The user, with the hash of the new password.
    Changed(User),
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
    let (mount, credential) = (request.strategy().describe(), request.credential().unwrap_or_default());
    let under_way = request.services().changes_under_way.begin(mount, identity, credential);
    let (status, message) = match change(&request, identity, fields).await? {
        PasswordChange::Changed(user) => {
            request.record(identity, &SecurityEvent::PasswordChanged);
            let lines = conclude(&request, identity, &user, &under_way).await?;
            let name = request.services().reports.keep(Value::from(lines));
            return Ok(see_other(&request.path(&format!("/password/changed?report={name}"))));
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
    services.rate_limits.check_try(request.origin().address)?;
    let words = |_: &_| format!("{}: SELECT the user", users.store());
    let user = trace.timed(StepKind::Database, words, users.get(identity.subject.id)).await?;
    let user = user.filter(|user| !user.is_disabled);
    let (folded, password) = (UserName::fold(&identity.subject.name), fields.current_password);
    let words = "argon2id: the current password";
    let password = PasswordTry { origin: request.origin(), folded: &folded, user: user.as_ref(), password, words };
    let matches = password.check(&services.rate_limits, &services.hasher, trace).await?;
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
        Ok(true) => Ok(PasswordChange::Changed(User { password_hash: hash, ..user })),
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

/// Revokes every login of the user under every mount, after the password was changed, and renews this one.
///
/// Returns a sentence for each mount. It says where the server could not revoke the logins.
async fn conclude(
    request: &RequestContext,
    identity: &Identity,
    user: &User,
    under_way: &ChangeUnderWay,
) -> Result<Vec<String>, Error> {
    let (mount, description) = (request.mount(), request.strategy().describe());
    let mut lines = vec!["The new password is valid from now on, under every mount.".to_owned()];
    for other in mount.strategies.iter().filter(|strategy| !Arc::ptr_eq(strategy, &mount.strategy)) {
        lines.push(revoke_under(other.as_ref(), request, identity).await);
    }
    // Last: a failure here must not keep the other mounts from revoking, and from here to the answer it is not far.
    let grant = request.replace_login(identity, under_way).await?;
    let mine = match &grant {
        Some(grant) => {
            request.record(&grant.identity, &SecurityEvent::LoginAccepted);
            request.set_login(grant, user);
            "The server renewed this login."
        }
        None => {
            request.clear_credentials();
            "This login was revoked while the server changed the password. Log in with the new one."
        }
    };
    lines.insert(1, format!("{}: {} {mine}", mount.base(), description.texts.password_change));
    Ok(lines)
}

/// The name of the report, in the query.
#[derive(Deserialize)]
pub(super) struct ReportName {
    report: Option<String>,
}

/// `GET M/password/changed`: what a password change did. Needs no login: the change may have found it revoked.
#[handler]
pub(super) async fn changed(request: RequestContext, Query(query): Query<ReportName>) -> Result<Response, Error> {
    let lines = query.report.and_then(|name| request.services().reports.get(&name));
    let user = request.identity().await?.is_some();
    let title = if lines.is_some() { "Password changed" } else { "Password change" };
    request.page("password-changed.html", title, context! { lines, logged_in => user }).await
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
    let password_min = request.services().hasher.password_min();
    let context = json!({ "message": message, "effect": effect, "password_min": password_min });
    request.page_with(status, "password.html", "Change the password", context).await
}
