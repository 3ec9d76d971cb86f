//! The JSON routes of a mount, and their OpenAPI description.

mod written_json;

use std::collections::HashMap;

use poem::http::{Method, StatusCode};
use poem_openapi::payload::Json;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, Type as _};
use poem_openapi::{ApiResponse, NewType, Object, OpenApi, OpenApiService};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;

use self::written_json::WrittenJson;
use super::context::RequestContext;
use super::login::log_in;
use super::logout::log_out;
use super::methods::RouteMethods;
use crate::auth::{Credentials, Grant, RevokeScope};
use crate::error::Error;

/// The user name and the password of a login.
#[derive(Object)]
struct LoginRequest {
    /// The user name.
    #[oai(validator(max_length = 256))]
    username: UsernameField,
    /// The password.
    #[oai(validator(max_length = 512))]
    password: PasswordField,
}

// The library also reads numbers and booleans as a string, and does not name the field that is missing; these types do
// both. No doc comment: it would become the description of the field in openapi.json.
macro_rules! text_field {
    ($type:ident, $field:literal) => {
        #[derive(NewType)]
        #[oai(from_json = false, from_parameter = false, from_multipart = false, to_header = false)]
        struct $type(String);

        impl ParseFromJSON for $type {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                match value {
                    Some(Value::String(text)) => Ok(Self(text)),
                    // The message must not repeat the value: it may be a password.
                    Some(_) => Err(ParseError::custom(concat!("the field ", $field, " is not a string"))),
                    None => Err(ParseError::custom(concat!("the field ", $field, " is missing"))),
                }
            }
        }
    };
}

text_field!(UsernameField, "username");
text_field!(PasswordField, "password");
text_field!(RefreshTokenField, "refresh_token");

/// A new login, or a renewed one. A JWT strategy returns the token; a session strategy sets a cookie.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct LoginResponse {
    /// `Bearer` or `Cookie`.
    token_type: String,
    /// The access token. Send it as `Authorization: Bearer`.
    access_token: Option<String>,
    /// Seconds until the token, or the session, expires.
    expires_in: u64,
    /// The refresh token, under a strategy that has one.
    refresh_token: Option<String>,
}

/// The refresh token to exchange.
#[derive(Object)]
struct RefreshRequest {
    /// The refresh token. The server accepts it once.
    #[oai(validator(max_length = 512))]
    refresh_token: RefreshTokenField,
}

/// The logged-in user and the login.
#[derive(Object, Serialize)]
struct MeResponse {
    /// The user's id, a UUID.
    user_id: String,
    /// The user name.
    username: String,
    /// `user` or `presenter`.
    role: String,
    /// The strategy of the mount.
    strategy: String,
    /// The login's public name. It is no credential.
    login_id: String,
    /// When the login was issued (RFC 3339).
    issued_at: String,
    /// When it expires (RFC 3339).
    expires_at: String,
}

/// An error (RFC 9457).
#[derive(Object)]
#[allow(dead_code)] // described here, written by middleware::problem
struct Problem {
    /// `about:blank`: the status is the type.
    r#type: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What went wrong, in a sentence.
    detail: String,
}

#[derive(ApiResponse)]
enum Done {
    /// Logged out.
    #[oai(status = 204)]
    Done,
}

struct Api;

/// The routes, by their path below `M/api`. None of them may take a parameter of the query: only the library's own endpoint
/// reads those.
pub(super) fn routes() -> impl Iterator<Item = (String, RouteMethods)> {
    let mut routes = HashMap::new();
    Api.add_routes(&mut routes);
    routes.into_iter().map(|(path, mut methods)| {
        let served = RouteMethods { get: methods.remove(&Method::GET), post: methods.remove(&Method::POST) };
        debug_assert!(methods.is_empty(), "{path} has a method that no route answers");
        (path, served)
    })
}

/// The routes and their description.
pub(super) fn service() -> OpenApiService<impl OpenApi, ()> {
    OpenApiService::new(Api, "jwt-vs-session", env!("CARGO_PKG_VERSION")).description(
        "Every strategy serves the same routes. A JWT strategy accepts a bearer token or the cookie; a session strategy accepts the cookie.",
    )
}

#[OpenApi]
impl Api {
    /// Log in
    ///
    /// An unknown user and a wrong password get the same answer.
    #[oai(path = "/login", method = "post", operation_id = "logIn")]
    async fn login(&self, request: RequestContext, body: Json<LoginRequest>) -> Result<Json<LoginResponse>, Error> {
        let Json(LoginRequest { username, password }) = body;
        let (grant, user) = log_in(&request, &username.0, SecretString::from(password.0)).await?;
        if !request.strategy().describe().transport.bearer {
            request.set_login(&grant, &user);
        }
        Ok(Json(login_response(&request, &grant)))
    }

    /// Renew a token
    ///
    /// Exchanges a refresh token for a new access token and a new refresh token. 404 under a strategy without refresh
    /// tokens. A network may renew ten times as often as it may send a wrong password.
    #[oai(path = "/refresh", method = "post", operation_id = "refresh")]
    async fn refresh(&self, request: RequestContext, body: Json<RefreshRequest>) -> Result<Json<LoginResponse>, Error> {
        if request.strategy().describe().transport.refresh_cookie.is_none() {
            return Err(Error::NotFound);
        }
        request.services().rate_limits.check_renewal(request.origin().address)?;
        let credentials = Credentials::default().with_renewal(Some(body.0.refresh_token.0));
        let grant = request.renew(&credentials).await?;
        let grant = grant.ok_or(Error::LoginRequired { next: None })?;
        Ok(Json(login_response(&request, &grant)))
    }

    /// Get the logged-in user
    ///
    /// Authenticates the request: 200 if the server accepts the credential, 401 if it refuses it. 503 means unavailable: a
    /// store does not answer, and the login may still be valid.
    #[oai(path = "/me", method = "get", operation_id = "getMe")]
    async fn me(&self, request: RequestContext) -> Result<WrittenJson<MeResponse>, Error> {
        let identity = request.require_login().await?;
        let me = MeResponse {
            user_id: identity.subject.id.to_string(),
            username: identity.subject.name.to_string(),
            role: identity.subject.role.name().to_owned(),
            strategy: request.strategy().describe().slug.to_owned(),
            login_id: identity.login.to_string(),
            issued_at: identity.issued_at.to_string(),
            expires_at: identity.expires_at.to_string(),
        };
        WrittenJson::new(&me).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Log out
    ///
    /// Revokes this login and removes the cookie. The strategy decides when other nodes refuse a copy of the credential.
    #[oai(path = "/logout", method = "post", operation_id = "logOut")]
    async fn logout(&self, request: RequestContext) -> Result<Done, Error> {
        log_out(&request, RevokeScope::This).await?;
        Ok(Done::Done)
    }

    /// Log out everywhere
    ///
    /// Revokes every login of the user under this strategy, as far as the strategy can.
    #[oai(path = "/logout-everywhere", method = "post", operation_id = "logOutEverywhere")]
    async fn logout_everywhere(&self, request: RequestContext) -> Result<Done, Error> {
        log_out(&request, RevokeScope::Everywhere).await?;
        Ok(Done::Done)
    }
}

/// The body has the credential only if the client can send it in a header.
fn login_response(request: &RequestContext, grant: &Grant) -> LoginResponse {
    let bearer = request.strategy().describe().transport.bearer;
    let shown = |secret: &SecretString| bearer.then(|| secret.expose_secret().to_owned());
    LoginResponse {
        token_type: if bearer { "Bearer" } else { "Cookie" }.to_owned(),
        access_token: shown(&grant.credential),
        expires_in: grant.identity.expires_at.since(grant.identity.issued_at).as_secs(),
        refresh_token: grant.renewal.as_ref().and_then(|renewal| shown(&renewal.credential)),
    }
}

// The errors of every route; `middleware::problem` writes them.
impl ApiResponse for Error {
    fn meta() -> MetaResponses {
        let answers = [
            (StatusCode::BAD_REQUEST, "The server cannot read the request"),
            (StatusCode::UNAUTHORIZED, "Not logged in, or the user name or the password is wrong"),
            (StatusCode::FORBIDDEN, "The request came from another site"),
            (StatusCode::NOT_FOUND, "There is nothing at this address"),
            (StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 64 KiB"),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not `application/json`"),
            (StatusCode::TOO_MANY_REQUESTS, "Too many tries; `Retry-After` says when to try again"),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "Unavailable: a store does not answer. The login is neither accepted nor refused",
            ),
        ];
        let response = |(status, description): (StatusCode, &'static str)| MetaResponse {
            description,
            status: Some(status.as_u16()),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/problem+json", schema: Problem::schema_ref() }],
            headers: Vec::new(),
        };
        MetaResponses { responses: answers.into_iter().map(response).collect() }
    }

    fn register(registry: &mut Registry) {
        Problem::register(registry);
    }
}
