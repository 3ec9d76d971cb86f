//! The JSON routes of a mount, described by OpenAPI.

use poem::http::StatusCode;
use poem_openapi::payload::Json;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, Type as _};
use poem_openapi::{ApiResponse, NewType, Object, OpenApi, OpenApiService};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::context::RequestContext;
use super::login::log_in;
use super::logout::log_out;
use crate::auth::{Credentials, Grant, RevokeScope};
use crate::error::Error;

/// What a program sends to log in.
#[derive(Object)]
struct LoginRequest {
    /// The user's name.
    #[oai(validator(max_length = 256))]
    username: Text,
    /// The password.
    #[oai(validator(max_length = 512))]
    password: Text,
}

/// A text and nothing else: the library takes a number and a truth value for a text, too.
#[derive(NewType)]
#[oai(from_json = false, from_parameter = false, from_multipart = false, to_header = false)]
struct Text(String);

impl ParseFromJSON for Text {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value {
            Some(Value::String(text)) => Ok(Self(text)),
            // What came instead is not repeated: it may be a password.
            _ => Err(ParseError::custom("a text in quotes was expected")),
        }
    }
}

/// A login that was opened. The JWT strategies answer the token; the session strategies set a cookie.
#[derive(Object)]
#[oai(skip_serializing_if_is_none)]
struct LoginResponse {
    /// `Bearer` or `Cookie`.
    token_type: String,
    /// The token, to be sent as `Authorization: Bearer`.
    access_token: Option<String>,
    /// Seconds until the token, or the login, ends by itself.
    expires_in: u64,
    /// What fetches the next token, where there is such a thing.
    refresh_token: Option<String>,
}

/// What a program sends to renew its token.
#[derive(Object)]
struct RefreshRequest {
    /// The refresh token. It is good once.
    #[oai(validator(max_length = 512))]
    refresh_token: Text,
}

/// Who is signed in.
#[derive(Object)]
struct MeResponse {
    /// The user's number.
    user_id: String,
    /// The user's name.
    username: String,
    /// `user` or `presenter`.
    role: String,
    /// The strategy that remembers the login.
    strategy: String,
    /// The login's public name. Opens nothing.
    login_id: String,
    /// When the login was opened (RFC 3339).
    issued_at: String,
    /// When it ends by itself (RFC 3339).
    expires_at: String,
}

/// What went wrong (RFC 9457).
#[derive(Object)]
#[allow(dead_code)] // described here, written by guard::problem
struct Problem {
    /// `about:blank`: the status says it.
    r#type: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What went wrong, in a sentence.
    detail: String,
}

/// Done; there is nothing to say.
#[derive(ApiResponse)]
enum Done {
    /// Done.
    #[oai(status = 204)]
    Done,
}

struct Api;

/// The routes below `M/api`.
pub(super) fn service() -> OpenApiService<impl OpenApi, ()> {
    OpenApiService::new(Api, "jwt-vs-session", env!("CARGO_PKG_VERSION")).description(
        "The same routes under every mount. JWT mounts take a bearer token or the cookie; session mounts take the cookie.",
    )
}

#[OpenApi]
impl Api {
    /// Log in
    ///
    /// A wrong name and a wrong password answer alike.
    #[oai(path = "/login", method = "post")]
    async fn login(&self, request: RequestContext, body: Json<LoginRequest>) -> Result<Json<LoginResponse>, Error> {
        let Json(LoginRequest { username, password }) = body;
        let grant = log_in(&request, &username.0, SecretString::from(password.0)).await?;
        if !request.strategy().describe().transport.bearer {
            request.set_credentials(&grant);
        }
        Ok(Json(login_response(&request, &grant)))
    }

    /// Renew a token
    ///
    /// Exchanges a refresh token for the next access token and the next refresh token. 404 under a mount that has none.
    /// An address may renew ten times as often as it may log in.
    #[oai(path = "/refresh", method = "post")]
    async fn refresh(&self, request: RequestContext, body: Json<RefreshRequest>) -> Result<Json<LoginResponse>, Error> {
        if request.strategy().describe().transport.refresh_cookie.is_none() {
            return Err(Error::NotFound);
        }
        request.services().rate_limits.check_renewal(request.address())?;
        let credentials = Credentials::default().with_renewal(Some(body.0.refresh_token.0));
        let grant = request.strategy().renew(&credentials, request.trace()).await?;
        let grant = grant.ok_or(Error::SignInFirst { next: None })?;
        Ok(Json(login_response(&request, &grant)))
    }

    /// Who am I?
    ///
    /// 401 without a login. A store that does not answer is 503 and says nothing about the login.
    #[oai(path = "/me", method = "get")]
    async fn me(&self, request: RequestContext) -> Result<Json<MeResponse>, Error> {
        let identity = request.signed_in().await?;
        Ok(Json(MeResponse {
            user_id: identity.subject.id.to_string(),
            username: identity.subject.name.to_string(),
            role: identity.subject.role.name().to_owned(),
            strategy: request.strategy().describe().slug.to_owned(),
            login_id: identity.login.to_string(),
            issued_at: identity.issued_at.to_string(),
            expires_at: identity.expires_at.to_string(),
        }))
    }

    /// Log out
    ///
    /// When it takes effect is what the strategies differ in.
    #[oai(path = "/logout", method = "post")]
    async fn logout(&self, request: RequestContext) -> Result<Done, Error> {
        log_out(&request, RevokeScope::This).await?;
        Ok(Done::Done)
    }

    /// Log out everywhere
    ///
    /// Ends every login of the user under this mount, as far as the strategy can.
    #[oai(path = "/logout-everywhere", method = "post")]
    async fn logout_everywhere(&self, request: RequestContext) -> Result<Done, Error> {
        log_out(&request, RevokeScope::Everywhere).await?;
        Ok(Done::Done)
    }
}

/// The credential stands in the answer only where a header can carry it.
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

/// Every route may answer these; `guard::problem` writes them.
impl ApiResponse for Error {
    fn meta() -> MetaResponses {
        let answers = [
            (StatusCode::BAD_REQUEST, "The request cannot be understood"),
            (StatusCode::UNAUTHORIZED, "Nobody is signed in, or the name or the password is wrong"),
            (StatusCode::FORBIDDEN, "The request came from another site"),
            (StatusCode::NOT_FOUND, "There is nothing at this address"),
            (StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 64 KiB"),
            (StatusCode::TOO_MANY_REQUESTS, "Too many tries; Retry-After says when to come back"),
            (StatusCode::SERVICE_UNAVAILABLE, "A store does not answer; the login is neither accepted nor ended"),
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
