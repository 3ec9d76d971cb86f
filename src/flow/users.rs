//! `M/users`: a presenter disables, enables and deletes users.
//!
//! The role in a token may be stale. So each of these requests reads the presenter's row again.

use minijinja::value::Serde;
use minijinja::{Value, context};
use poem::web::{Form, Path, Query};
use poem::{Response, handler};
use serde::Deserialize;
use serde_json::json;

use super::context::{RequestContext, see_other};
use super::ended_users::lives_on;
use crate::account::UserName;
use crate::auth::{Effect, Identity};
use crate::error::Error;
use crate::identity::{Role, UserId};
use crate::security_log::{LoginRefusal, SecurityEvent};
use crate::store::users::User;

/// The most users that a page shows.
const SHOWN: u64 = 100;

/// The query: the beginning of a name, or the name of a report.
#[derive(Deserialize)]
pub(super) struct UsersQuery {
    #[serde(default)]
    name: String,
    report: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct DeleteForm {
    /// The user's name, typed again.
    #[serde(default)]
    name: String,
}

/// `GET M/users`.
#[handler]
pub(super) async fn list(request: RequestContext, Query(query): Query<UsersQuery>) -> Result<Response, Error> {
    let presenter = require_presenter(&request).await?;
    let services = request.services();
    let users = services.users.list(&crate::account::UserName::fold(&query.name), SHOWN).await?;
    let rows: Vec<_> = users.iter().map(|user| row(user, presenter)).collect();
    let report = query.report.and_then(|name| services.reports.get(&name));
    let page = context! { rows => Serde(rows), shown => SHOWN, name => query.name, report };
    request.page("users.html", "Users", page).await
}

/// `GET M/users/{id}`: what can be done to a user, and when that takes effect under each mount. The buttons are here: this
/// page is the confirmation.
#[handler]
pub(super) async fn one(request: RequestContext, Path(id): Path<String>) -> Result<Response, Error> {
    let presenter = require_presenter(&request).await?;
    let user = find(&request, &id).await?;
    let mounts = request.mount().strategies.iter().map(|strategy| {
        let description = strategy.describe();
        json!({ "slug": description.slug, "after": lives_on(description.promise) })
    });
    let changes = !request.strategy().describe().promise.only_expires();
    let page = json!({ "one": row(&user, presenter), "mounts": mounts.collect::<Vec<_>>(), "changes": changes });
    request.page("user.html", "User", page).await
}

/// `POST M/users/{id}/disable`.
#[handler]
pub(super) async fn disable(request: RequestContext, Path(id): Path<String>) -> Result<Response, Error> {
    let (presenter, user) = (require_presenter_to_change(&request).await?, find(&request, &id).await?);
    refuse_oneself(presenter, &user)?;
    request.services().ended_users.disable(user.id).await?;
    request.record(presenter, &SecurityEvent::UserDisabled { target_user_id: user.id });
    let lines = end_logins(&request, &user, format!("{} is disabled, and cannot log in.", user.name)).await;
    Ok(report(&request, lines))
}

/// `POST M/users/{id}/enable`.
#[handler]
pub(super) async fn enable(request: RequestContext, Path(id): Path<String>) -> Result<Response, Error> {
    let (presenter, user) = (require_presenter_to_change(&request).await?, find(&request, &id).await?);
    request.services().ended_users.enable(user.id).await?;
    request.services().rate_limits.forget_failures(&UserName::fold(&user.name)).await?;
    request.record(presenter, &SecurityEvent::UserEnabled { target_user_id: user.id });
    Ok(report(&request, vec![format!("{} can log in again. The ended logins stay ended.", user.name)]))
}

/// `POST M/users/{id}/delete`, with the name typed again.
#[handler]
pub(super) async fn delete(
    request: RequestContext,
    Path(id): Path<String>,
    Form(form): Form<DeleteForm>,
) -> Result<Response, Error> {
    let (presenter, user) = (require_presenter_to_change(&request).await?, find(&request, &id).await?);
    refuse_oneself(presenter, &user)?;
    if form.name.trim() != user.name {
        return Err(Error::BadRequest("Type the user's name to delete the user.".to_owned()));
    }
    request.services().ended_users.delete(user.id).await?;
    request.record(presenter, &SecurityEvent::UserDeleted { target_user_id: user.id });
    let lines = end_logins(&request, &user, format!("{} is deleted.", user.name)).await;
    Ok(report(&request, lines))
}

fn row(user: &User, presenter: &Identity) -> serde_json::Value {
    let oneself = user.id == presenter.subject.id;
    json!({ "id": user.id, "name": user.name, "role": user.role, "disabled": user.is_disabled, "oneself": oneself })
}

/// The presenter's login. Without a login the answer leads to the login page; another user gets 403.
async fn require_presenter(request: &RequestContext) -> Result<&Identity, Error> {
    let identity = request.require_login().await?;
    let user = request.services().users.get(identity.subject.id).await?;
    let presents = user.is_some_and(|user| user.role == Role::Presenter && !user.is_disabled);
    if presents {
        return Ok(identity);
    }
    request.record(identity, &SecurityEvent::LoginRefused { reason: LoginRefusal::NoPresenter });
    Err(Error::PresentersOnly)
}

/// The presenter's login, for a change. Where only expiry ends a login, a copy of a presenter's token goes on after the log
/// out: it may read the users, and change none.
async fn require_presenter_to_change(request: &RequestContext) -> Result<&Identity, Error> {
    let presenter = require_presenter(request).await?;
    if request.strategy().describe().promise.only_expires() {
        let sentence = "A log out does not revoke a token under this mount, so nobody changes users here. Use a mount that \
            can revoke a login.";
        return Err(Error::BadRequest(sentence.to_owned()));
    }
    Ok(presenter)
}

async fn find(request: &RequestContext, id: &str) -> Result<User, Error> {
    let id = UserId(id.parse().map_err(|_| Error::NotFound)?);
    request.services().users.get(id).await?.ok_or(Error::NotFound)
}

fn refuse_oneself(presenter: &Identity, user: &User) -> Result<(), Error> {
    if user.id == presenter.subject.id {
        return Err(Error::BadRequest("You cannot disable or delete yourself. Another presenter can.".to_owned()));
    }
    Ok(())
}

/// Ends the user's logins on this node at once. The others read the row within a second.
async fn end_logins(request: &RequestContext, user: &User, done: String) -> Vec<String> {
    let mut lines = vec![done];
    for strategy in request.mount().strategies.iter() {
        let slug = strategy.describe().slug;
        let services = request.services();
        lines.push(match services.revoke_all_of(strategy.as_ref(), user.id, request.trace()).await {
            Ok(Effect::Now | Effect::Within(_)) => {
                format!("/{slug}: this node revoked every login. Other nodes do so within a second.")
            }
            Ok(Effect::At(end)) => {
                format!("/{slug}: the server accepts tokens until they expire, {end} at the latest.")
            }
            Err(_) => format!("/{slug}: a store does not answer. The node revokes the logins when the store is back."),
        });
    }
    lines
}

fn report(request: &RequestContext, lines: Vec<String>) -> Response {
    let name = request.services().reports.keep(Value::from(lines));
    see_other(&request.path(&format!("/users?report={name}")))
}
