//! `M/login`: checks a name and a password, and opens a login.

use poem::http::StatusCode;
use poem::web::{Form, Query};
use poem::{Response, handler};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::context::{RequestContext, see_other};
use super::rate_limits::PasswordTry;
use crate::account::UserName;
use crate::auth::Grant;
use crate::error::Error;
use crate::identity::Subject;
use crate::security_log::{LoginRefusal, RevocationCause, SecurityEvent};
use crate::store::users::User;
use crate::trace::{StepKind, Verdict, VerdictKind};

/// The query: where to go after the login.
#[derive(Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

/// A missing field is an empty one: the answer is a sentence about it.
#[derive(Deserialize)]
pub(super) struct LoginForm {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: SecretString,
    next: Option<String>,
}

/// `GET M/login`.
#[handler]
pub(super) async fn form(request: RequestContext, Query(query): Query<Next>) -> Result<Response, Error> {
    show(&request, StatusCode::OK, None, "", query.next.as_deref()).await
}

/// `POST M/login`.
#[handler]
pub(super) async fn submit(request: RequestContext, Form(fields): Form<LoginForm>) -> Result<Response, Error> {
    match log_in(&request, &fields.username, fields.password).await {
        Ok((grant, user)) => {
            request.set_login(&grant, &user);
            Ok(see_other(&destination(&request, fields.next.as_deref())))
        }
        Err(error @ Error::WrongPassword) => {
            let message = error.sentence();
            show(&request, StatusCode::UNAUTHORIZED, Some(&message), &fields.username, fields.next.as_deref()).await
        }
        Err(error) => Err(error),
    }
}

async fn show(
    request: &RequestContext,
    status: StatusCode,
    message: Option<&str>,
    username: &str,
    next: Option<&str>,
) -> Result<Response, Error> {
    let next = next.and_then(|next| below_mount(next, &request.path("/")));
    let context = json!({ "message": message, "username": username, "next": next, "demo": request.services().demo });
    request.page_with(status, "login.html", "Log in", context).await
}

/// Checks the password and opens a login, for the pages and the JSON routes.
///
/// An unknown user takes the same steps and the same time as a wrong password: one query, one count, one hash.
pub(super) async fn log_in(
    request: &RequestContext,
    username: &str,
    password: SecretString,
) -> Result<(Grant, User), Error> {
    let (services, trace) = (request.services(), request.trace());
    let folded = UserName::fold(username);
    services.rate_limits.check_try(request.origin().address)?;
    let words = |_: &_| format!("{}: SELECT the user by name", services.users.store());
    let user = trace.timed(StepKind::Database, words, services.users.find(&folded)).await?;
    let words = "argon2id: 19 MiB, 2 passes, waiting for a free slot included";
    // A disabled user is an unknown one here: the count must not show that a password was right.
    let known = user.as_ref().filter(|user| !user.is_disabled);
    let password = PasswordTry { origin: request.origin(), folded: &folded, user: known, password, words };
    let matches = password.check(&services.rate_limits, &services.hasher, trace).await?;
    let slug = request.strategy().describe().slug;
    match (user, matches) {
        (Some(user), true) => {
            let grant = open(request, &user).await?;
            request.record(&grant.identity, &SecurityEvent::LoginAccepted);
            metrics::counter!("logins_total", "strategy" => slug, "outcome" => "opened").increment(1);
            Ok((grant, user))
        }
        (user, _) => {
            let reason = match &user {
                Some(user) if user.is_disabled => LoginRefusal::Disabled,
                Some(_) => LoginRefusal::WrongPassword,
                None => LoginRefusal::UnknownUser,
            };
            request.record_of(user.map(|user| user.id), None, &SecurityEvent::LoginRefused { reason });
            metrics::counter!("logins_total", "strategy" => slug, "outcome" => "refused").increment(1);
            // First: the page authenticates the request as well, and the panel shows the last verdict.
            request.identity().await?;
            let words = "refused: unknown user or wrong password".into();
            let reason = Some("the answer never says which of the two".into());
            trace.verdict(Verdict { kind: VerdictKind::Refused, words, reason });
            Err(Error::WrongPassword)
        }
    }
}

/// Opens the login. Revokes it if the password was changed or the user has ended meanwhile: whoever did that could not
/// revoke a login that was not there yet.
pub(super) async fn open(request: &RequestContext, user: &User) -> Result<Grant, Error> {
    let subject = Subject { id: user.id, name: user.name.as_str().into(), role: user.role };
    let grant = request.open_login(&subject).await?;
    let users = &request.services().users;
    let words = |_: &_| format!("{}: SELECT the user again: the same password, and not disabled?", users.store());
    let now = request.trace().timed(StepKind::Database, words, users.get(user.id)).await?;
    let is_disabled = now.as_ref().is_none_or(|now| now.is_disabled);
    if !is_disabled && now.is_some_and(|now| now.password_hash == user.password_hash) {
        return Ok(grant);
    }
    request.revoke_single(&grant.identity, RevocationCause::PasswordChange).await?;
    let reason = if is_disabled { LoginRefusal::Disabled } else { LoginRefusal::PasswordChanged };
    request.record_of(Some(user.id), None, &SecurityEvent::LoginRefused { reason });
    Err(Error::WrongPassword)
}

/// The address of the login page, with the way back.
pub(super) fn with_next(login: &str, next: Option<&str>) -> String {
    match next {
        Some(next) => {
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
            format!("{login}?{query}")
        }
        None => login.to_owned(),
    }
}

fn destination(request: &RequestContext, next: Option<&str>) -> String {
    next.and_then(|next| below_mount(next, &request.path("/"))).unwrap_or_else(|| request.path("/profile"))
}

/// `next`, if a browser resolves it to a path below the mount.
fn below_mount(next: &str, base: &str) -> Option<String> {
    if !next.starts_with('/') || next.contains(['\\', '\r', '\n', '\t']) {
        return None;
    }
    let origin = url::Url::parse("http://here.invalid/").ok()?;
    let resolved = origin.join(next).ok()?;
    let here = resolved.origin() == origin.origin() && resolved.path().starts_with(base);
    // At the front a doubled slash is an address without a scheme. None passes anywhere.
    (here && !resolved.path().contains("//"))
        .then(|| resolved[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
}

#[cfg(test)]
mod tests {
    use super::below_mount;

    #[test]
    fn next_never_leaves_the_mount() {
        for good in ["/jwt/profile", "/jwt/devices?page=2", "/jwt/"] {
            assert_eq!(below_mount(good, "/jwt/").as_deref(), Some(good));
        }
        for bad in [
            "",
            "profile",
            "/",
            "/jwt",
            "/session/profile",
            "/jwt-blocklist/profile",
            "//evil.example/jwt/",
            "/\\evil.example",
            "https://evil.example/jwt/profile",
            "/jwt/../session/profile",
            "/jwt/%2e%2e/session/",
            "/jwt//evil.example",
            "javascript:alert(1)",
            "/jwt/\r\nSet-Cookie: a=b",
            "/\t/evil.example/jwt/",
        ] {
            assert_eq!(below_mount(bad, "/jwt/"), None, "{bad}");
        }
    }
}
