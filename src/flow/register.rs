//! `M/register`: a new user, signed in at once.

use poem::http::StatusCode;
use poem::web::Form;
use poem::{Response, handler};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::visit::{Visit, see_other};
use crate::account::UserName;
use crate::auth::{Role, Subject, UserId};
use crate::error::Error;
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
pub(super) async fn form(visit: Visit) -> Result<Response, Error> {
    show(&visit, StatusCode::OK, None, "").await
}

/// `POST M/register`.
#[handler]
pub(super) async fn submit(visit: Visit, Form(fields): Form<RegisterForm>) -> Result<Response, Error> {
    visit.shared().rates.check(visit.address(), &UserName::fold(&fields.username))?;
    match register(&visit, &fields.username, fields.password).await? {
        Ok(user) => {
            let subject = Subject { id: user.id, name: user.name.into(), role: user.role };
            let grant = visit.open_login(&subject).await?;
            visit.hand_over(&grant);
            Ok(see_other(&visit.path("/profile")))
        }
        Err((status, sentence)) => show(&visit, status, Some(&sentence), &fields.username).await,
    }
}

/// The new user, or the status and the sentence that say why there is none.
async fn register(
    visit: &Visit,
    username: &str,
    password: SecretString,
) -> Result<Result<User, (StatusCode, String)>, Error> {
    let shared = visit.shared();
    let name = match UserName::parse(username) {
        Ok(name) => name,
        Err(sentence) => return Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, sentence))),
    };
    let timer = visit.trace().timer();
    let hashed = shared.hasher.hash(password, name.shown().to_owned()).await;
    visit.trace().step(StepKind::Hash, timer, || "password judged (zxcvbn) and hashed (argon2id: 19 MiB, 2 passes)");
    let password_hash = match hashed? {
        Ok(hash) => hash,
        Err(sentence) => return Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, sentence))),
    };
    let user = User { id: UserId::random(), name: name.shown().to_owned(), role: Role::User, password_hash };
    let timer = visit.trace().timer();
    let inserted = shared.users.insert(&user, name.folded(), shared.clock.now()).await;
    visit.trace().step(StepKind::Database, timer, || format!("{}: INSERT the user", shared.users.store()));
    if inserted? { Ok(Ok(user)) } else { Ok(Err((StatusCode::CONFLICT, "This user name is taken.".to_owned()))) }
}

async fn show(visit: &Visit, status: StatusCode, message: Option<&str>, username: &str) -> Result<Response, Error> {
    let context = json!({ "message": message, "username": username });
    visit.page_with(status, "register.html", "Register", context).await
}
