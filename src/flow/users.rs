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
use super::when_refused;
use crate::account::UserName;
use crate::auth::{Effect, Failure, Identity};
use crate::error::Error;
use crate::identity::{Role, UserId};
use crate::security_log::{LoginRefusal, SecurityEvent};
use crate::store::StoreError;
use crate::store::users::User;
use crate::trace::StepKind;

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
    let beginning = UserName::fold(&query.name);
    let listing = services.users.list(&beginning, SHOWN);
    let users = timed(&request, "SELECT the users by name", listing).await?;
    let rows: Vec<_> = users.iter().map(|user| row(user, presenter)).collect();
    let report = query.report.and_then(|name| services.reports.get(&name));
    let changes = !request.strategy().describe().promise.only_expires();
    let page = context! { rows => Serde(rows), shown => SHOWN, name => query.name, report, changes };
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
        json!({ "slug": description.slug, "after": when_refused(description.promise) })
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
    let disabling = request.services().ended_users.disable(user.id);
    timed(&request, "UPDATE the user: disabled; INSERT the row that every node reads", disabling).await?;
    request.record(presenter, &SecurityEvent::UserDisabled { target_user_id: user.id });
    let mounts = revoke_logins(&request, &user).await;
    Ok(report(&request, &format!("{} is disabled, and cannot log in.", user.name), mounts))
}

/// `POST M/users/{id}/enable`.
#[handler]
pub(super) async fn enable(request: RequestContext, Path(id): Path<String>) -> Result<Response, Error> {
    let (presenter, user) = (require_presenter_to_change(&request).await?, find(&request, &id).await?);
    let enabling = request.services().ended_users.enable(user.id);
    timed(&request, "UPDATE the user: enabled", enabling).await?;
    request.services().rate_limits.forget_failures(&UserName::fold(&user.name)).await?;
    request.record(presenter, &SecurityEvent::UserEnabled { target_user_id: user.id });
    Ok(report(&request, &format!("{} can log in again. The revoked logins stay revoked.", user.name), Vec::new()))
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
    let deleting = request.services().ended_users.delete(user.id);
    timed(&request, "DELETE the user; INSERT the row that every node reads", deleting).await?;
    request.record(presenter, &SecurityEvent::UserDeleted { target_user_id: user.id });
    let mounts = revoke_logins(&request, &user).await;
    Ok(report(&request, &format!("{} is deleted.", user.name), mounts))
}

fn row(user: &User, presenter: &Identity) -> serde_json::Value {
    let oneself = user.id == presenter.subject.id;
    json!({ "id": user.id, "name": user.name, "role": user.role, "disabled": user.is_disabled, "oneself": oneself })
}

/// The presenter's login. Without a login the answer leads to the login page; another user gets 403.
async fn require_presenter(request: &RequestContext) -> Result<&Identity, Error> {
    let identity = request.require_login().await?;
    let presenter = request.services().users.get(identity.subject.id);
    let user = timed(request, "SELECT the presenter: still one, and not disabled?", presenter).await?;
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
    timed(request, "SELECT the user by id", request.services().users.get(id)).await?.ok_or(Error::NotFound)
}

/// Waits for a statement, and shows it in the panel.
async fn timed<T>(
    request: &RequestContext,
    statement: &str,
    running: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let words = |_: &_| format!("{}: {statement}", request.services().users.store());
    request.trace().timed(StepKind::Database, words, running).await
}

fn refuse_oneself(presenter: &Identity, user: &User) -> Result<(), Error> {
    if user.id == presenter.subject.id {
        return Err(Error::BadRequest("You cannot disable or delete yourself. Another presenter can.".to_owned()));
    }
    Ok(())
}

/// Revokes the user's logins on this node at once, and says for each mount what that did. The others read the row within a
/// second.
async fn revoke_logins(request: &RequestContext, user: &User) -> Vec<Value> {
    let (mut mounts, services) = (Vec::new(), request.services());
    for strategy in request.mount().strategies.iter() {
        let description = strategy.describe();
        let done = match services.revoke_all_of(strategy.as_ref(), user.id, request.trace()).await {
            Ok(Effect::Now | Effect::Within(_)) => {
                "this node revoked every login. Other nodes do so within a second.".to_owned()
            }
            Ok(Effect::At(_)) => when_refused(description.promise),
            Err(Failure::Store(StoreError::Absent { store })) => {
                format!("the server runs without {store}, so nobody is logged in here.")
            }
            Err(_) => "a store does not answer. The node revokes the logins when the store is back.".to_owned(),
        };
        mounts.push(context! { slug => description.slug, done });
    }
    mounts
}

fn report(request: &RequestContext, done: &str, mounts: Vec<Value>) -> Response {
    let name = request.services().reports.keep(context! { done, mounts });
    see_other(&request.path(&format!("/users?report={name}")))
}
