//! `M/register`: a new user, signed in at once.

use poem::http::StatusCode;
use poem::web::Form;
use poem::{Response, handler};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::context::{RequestContext, see_other};
use crate::account::UserName;
use crate::error::Error;
use crate::identity::{Role, Subject, UserId};
use crate::store::users::User;
use crate::trace::StepKind;

/// The fields of the form.
#[derive(Deserialize)]
pub(super) struct RegisterForm {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: SecretString,
}

/// `GET M/register`.
#[handler]
pub(super) async fn form(request: RequestContext) -> Result<Response, Error> {
    show(&request, StatusCode::OK, None, "").await
}

/// `POST M/register`.
#[handler]
pub(super) async fn submit(request: RequestContext, Form(fields): Form<RegisterForm>) -> Result<Response, Error> {
    request.services().rate_limits.check(request.address(), &UserName::fold(&fields.username))?;
    match register(&request, &fields.username, fields.password).await? {
        Ok(user) => {
            let subject = Subject { id: user.id, name: user.name.into(), role: user.role };
            let grant = request.open_login(&subject).await?;
            request.set_credentials(&grant);
            Ok(see_other(&request.path("/profile")))
        }
        Err((status, sentence)) => show(&request, status, Some(&sentence), &fields.username).await,
    }
}

/// The new user, or the status and the sentence that say why there is none.
async fn register(
    request: &RequestContext,
    username: &str,
    password: SecretString,
) -> Result<Result<User, (StatusCode, String)>, Error> {
    let services = request.services();
    let name = match UserName::parse(username) {
        Ok(name) => name,
        Err(sentence) => return Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, sentence))),
    };
    let timer = request.trace().timer();
    let hashed = services.hasher.hash(password, name.shown().to_owned()).await;
    request.trace().step(StepKind::Hash, timer, || "password judged (zxcvbn) and hashed (argon2id: 19 MiB, 2 passes)");
    let password_hash = match hashed? {
        Ok(hash) => hash,
        Err(sentence) => return Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, sentence))),
    };
    let user = User { id: UserId::random(), name: name.shown().to_owned(), role: Role::User, password_hash };
    let timer = request.trace().timer();
    let inserted = services.users.insert(&user, name.folded(), services.clock.now()).await;
    request.trace().step(StepKind::Database, timer, || format!("{}: INSERT the user", services.users.store()));
    if inserted? { Ok(Ok(user)) } else { Ok(Err((StatusCode::CONFLICT, "This user name is taken.".to_owned()))) }
}

async fn show(
    request: &RequestContext,
    status: StatusCode,
    message: Option<&str>,
    username: &str,
) -> Result<Response, Error> {
    let context = json!({ "message": message, "username": username });
    request.page_with(status, "register.html", "Register", context).await
}
