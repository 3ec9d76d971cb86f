//! Bare poem endpoints: the least work of a page and of a JSON route that know the user from a token.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_vs_session::clock::Timestamp;
use jwt_vs_session::identity::UserId;
use minijinja::Environment;
use minijinja::value::Serde;
use poem::http::{StatusCode, header};
use poem::{Endpoint, Request, Response};
use serde::{Deserialize, Serialize};

/// The claims of a token of `jwt`.
#[derive(Deserialize, Serialize)]
pub struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    pub jti: String,
    iat: f64,
    exp: f64,
    name: String,
    role: String,
}

/// The library's own check, with a prepared key and prepared rules.
pub struct Decoder {
    key: DecodingKey,
    validation: Validation,
}

impl Decoder {
    pub fn new(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&["jwt"]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Self { key: DecodingKey::from_secret(secret.as_bytes()), validation }
    }

    pub fn decode(&self, token: &str) -> jsonwebtoken::errors::Result<Claims> {
        jsonwebtoken::decode(token, &self.key, &self.validation).map(|decoded| decoded.claims)
    }

    fn claims(&self, request: &Request) -> poem::Result<Claims> {
        self.decode(cookie(request)?).map_err(|error| poem::Error::new(error, StatusCode::UNAUTHORIZED))
    }
}

/// The value of the request's only cookie.
pub fn cookie(request: &Request) -> poem::Result<&str> {
    let line = request.header(header::COOKIE).and_then(|line| line.split_once('='));
    line.map(|(_, value)| value).ok_or_else(|| poem::Error::from_status(StatusCode::UNAUTHORIZED))
}

/// The body of `/api/me`: the same fields in the same form.
#[derive(Serialize)]
pub struct Me<'a> {
    pub user_id: &'a UserId,
    pub username: &'a str,
    pub role: &'a str,
    pub strategy: &'a str,
    pub login_id: &'a str,
    pub issued_at: String,
    pub expires_at: String,
}

impl Me<'_> {
    pub fn response(&self) -> Response {
        let body = serde_json::to_vec(self).expect("JSON");
        Response::builder().content_type("application/json; charset=utf-8").body(body)
    }
}

/// Checks the token and answers as `/jwt/api/me` does.
pub struct BareJson(pub Decoder);

impl Endpoint for BareJson {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let Claims { aud, sub, jti, iat, exp, name, role, .. } = &self.0.claims(&request)?;
        let (issued_at, expires_at) = (rfc3339(*iat), rfc3339(*exp));
        let me = Me { user_id: sub, username: name, role, strategy: aud, login_id: jti, issued_at, expires_at };
        Ok(me.response())
    }
}

#[allow(clippy::cast_possible_truncation)] // milliseconds since 1970
fn rfc3339(seconds: f64) -> String {
    Timestamp::from_millis((seconds * 1000.0).round() as i64).to_string()
}

/// Checks the token and answers with a page of 16 values.
pub struct BarePage {
    decoder: Decoder,
    templates: Environment<'static>,
}

/// Each stands on the page twice.
const VALUES: [&str; 8] = ["iss", "aud", "sub", "jti", "iat", "exp", "name", "role"];

impl BarePage {
    /// `padding` is the number of further bytes of the page.
    pub fn new(decoder: Decoder, padding: usize) -> Self {
        let values = VALUES.map(|name| format!("<p>{{{{ {name} }}}}</p>\n")).concat().repeat(2);
        let page = format!("<!doctype html>\n<title>Profile</title>\n{values}<!--{}-->\n", ".".repeat(padding));
        let mut templates = Environment::new();
        // It lives as long as the bench.
        templates.add_template("page.html", page.leak()).expect("a template");
        Self { decoder, templates }
    }
}

impl Endpoint for BarePage {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let claims = self.decoder.claims(&request)?;
        let page = self.templates.get_template("page.html").and_then(|page| page.render(Serde(&claims)));
        let page = page.map_err(|error| poem::Error::new(error, StatusCode::INTERNAL_SERVER_ERROR))?;
        Ok(Response::builder().content_type("text/html; charset=utf-8").body(page))
    }
}
