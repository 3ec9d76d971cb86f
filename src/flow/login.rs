//! `M/login`: from a name and a password to a login.

use poem::http::StatusCode;
use poem::web::{Form, Query};
use poem::{Response, handler};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::context::{RequestContext, see_other};
use crate::account::UserName;
use crate::auth::Grant;
use crate::error::Error;
use crate::identity::Subject;
use crate::store::users::User;
use crate::trace::{StepKind, Verdict, VerdictKind};

/// Where to go afterwards.
#[derive(Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

/// The fields of the form. A missing one is an empty one: the answer is a sentence about it.
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
        Ok(grant) => {
            request.set_credentials(&grant);
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

/// Checks the password and opens a login. The pages and the JSON routes share it.
///
/// An unknown user takes the same steps and the same time as a wrong password: one look-up, one hash.
pub(super) async fn log_in(request: &RequestContext, username: &str, password: SecretString) -> Result<Grant, Error> {
    let services = request.services();
    let folded = UserName::fold(username);
    services.rate_limits.check(request.address(), &folded)?;
    let timer = request.trace().timer();
    let user = services.users.find(&folded).await;
    request.trace().step(StepKind::Database, timer, || format!("{}: SELECT the user by name", services.users.store()));
    let user = user?;
    let timer = request.trace().timer();
    let matches = services.hasher.verify(password, user.as_ref().map(|user| user.password_hash.clone())).await;
    request.trace().step(StepKind::Hash, timer, || "argon2id: 19 MiB, 2 passes, waiting for a free slot included");
    let slug = request.strategy().describe().slug;
    match (user, matches?) {
        (Some(user), true) => {
            let grant = open(request, &user).await?;
            metrics::counter!("logins_total", "strategy" => slug, "outcome" => "opened").increment(1);
            Ok(grant)
        }
        _ => {
            metrics::counter!("logins_total", "strategy" => slug, "outcome" => "refused").increment(1);
            request.identity().await?; // the page asks as well, and the last verdict is the one that is shown
            let reason = Some("unknown user or wrong password: which one is not told".into());
            request.trace().verdict(Verdict { kind: VerdictKind::Refused, words: "no login".into(), reason });
            Err(Error::WrongPassword)
        }
    }
}

/// Opens the login, and takes it back if the password was changed meanwhile: the change ended every login that it
/// found, and this one was not there yet.
async fn open(request: &RequestContext, user: &User) -> Result<Grant, Error> {
    let subject = Subject { id: user.id, name: user.name.as_str().into(), role: user.role };
    let grant = request.open_login(&subject).await?;
    let timer = request.trace().timer();
    let now = request.services().users.get(user.id).await;
    request.trace().step(StepKind::Database, timer, || {
        format!("{}: SELECT the user again: is the password still the same?", request.services().users.store())
    });
    if now?.is_some_and(|now| now.password_hash == user.password_hash) {
        return Ok(grant);
    }
    request.revoke_single(&grant.identity).await?;
    Err(Error::WrongPassword)
}

/// The login page, with the way back.
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

/// `next` if it is a path below the mount, as a browser would resolve it; anything else leads nowhere.
fn below_mount(next: &str, base: &str) -> Option<String> {
    if !next.starts_with('/') || next.contains(['\\', '\r', '\n', '\t']) {
        return None;
    }
    let origin = url::Url::parse("http://here.invalid/").ok()?;
    let resolved = origin.join(next).ok()?;
    let here = resolved.origin() == origin.origin() && resolved.path().starts_with(base);
    // A doubled slash would be an address without a scheme, were it ever at the front.
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
