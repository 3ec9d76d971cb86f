//! `M/register`: adds a user and opens a login.

use poem::http::StatusCode;
use poem::web::Form;
use poem::{Response, handler};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::context::{RequestContext, see_other};
use super::login::open;
use crate::account::{HashError, InvalidName, RejectedPassword, UserName};
use crate::error::Error;
use crate::identity::{Role, UserId};
use crate::security_log::SecurityEvent;
use crate::store::users::User;
use crate::trace::StepKind;

#[derive(Deserialize)]
pub(super) struct RegisterForm {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: SecretString,
}

/// What became of a registration.
enum Registration {
    Registered(User),
    InvalidName(InvalidName),
    RejectedPassword(RejectedPassword),
    NameTaken,
}

/// `GET M/register`.
#[handler]
pub(super) async fn form(request: RequestContext) -> Result<Response, Error> {
    show(&request, StatusCode::OK, None, "").await
}

/// `POST M/register`.
#[handler]
pub(super) async fn submit(request: RequestContext, Form(fields): Form<RegisterForm>) -> Result<Response, Error> {
    request.services().rate_limits.check_registration(request.origin().address).await?;
    let (status, message) = match register(&request, &fields.username, fields.password).await? {
        Registration::Registered(user) => {
            request.record_of(Some(user.id), None, &SecurityEvent::Registered);
            let grant = open(&request, &user).await?;
            request.record(&grant.identity, &SecurityEvent::LoginAccepted);
            request.set_login(&grant, &user);
            return Ok(see_other(&request.path("/profile")));
        }
        Registration::InvalidName(reason) => (StatusCode::UNPROCESSABLE_ENTITY, reason.to_string()),
        Registration::RejectedPassword(reason) => (StatusCode::UNPROCESSABLE_ENTITY, reason.to_string()),
        Registration::NameTaken => (StatusCode::CONFLICT, "This user name is taken.".to_owned()),
    };
    show(&request, status, Some(&message), &fields.username).await
}

async fn register(request: &RequestContext, username: &str, password: SecretString) -> Result<Registration, Error> {
    let (services, trace) = (request.services(), request.trace());
    let name = match UserName::parse(username) {
        Ok(name) => name,
        Err(reason) => return Ok(Registration::InvalidName(reason)),
    };
    let words = |_: &_| "new password rated (zxcvbn) and hashed (argon2id: 19 MiB, 2 passes)";
    let hashing = services.hasher.hash(password, name.shown().to_owned());
    let password_hash = match trace.timed(StepKind::Hash, words, hashing).await {
        Err(HashError::Rejected(reason)) => return Ok(Registration::RejectedPassword(reason)),
        hashed => hashed?,
    };
    let user = User {
        id: UserId::random(),
        name: name.shown().to_owned(),
        role: Role::User,
        password_hash,
        is_disabled: false,
    };
    let words = |_: &_| format!("{}: INSERT the user", services.users.store());
    let inserting = services.users.insert(&user, name.folded(), services.clock.now());
    let inserted = trace.timed(StepKind::Database, words, inserting).await?;
    if !inserted {
        return Ok(Registration::NameTaken);
    }
    services.rate_limits.forget_failures(name.folded()).await?;
    Ok(Registration::Registered(user))
}

async fn show(
    request: &RequestContext,
    status: StatusCode,
    message: Option<&str>,
    username: &str,
) -> Result<Response, Error> {
    let password_min = request.services().hasher.password_min();
    let context = json!({ "message": message, "username": username, "password_min": password_min });
    request.page_with(status, "register.html", "Register", context).await
}
