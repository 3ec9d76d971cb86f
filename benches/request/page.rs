//! The routes that the bench requests, and the check of each response.

use std::sync::Arc;

use jwt_vs_session::app::App;
use jwt_vs_session::auth::AuthStrategy;
use poem::endpoint::BoxEndpoint;
use poem::http::{StatusCode, header};
use poem::{Endpoint as _, EndpointExt as _, Request, Response};

use crate::stage::bare::{BareJson, BarePage, Decoder};
use crate::stage::logins::OpenLogin;
use crate::stage::timing::Probe;
use crate::stage::{SECRET, Stage};

/// A route that needs a login, with the cookies of many signed-in users.
#[derive(Clone)]
pub struct Page {
    endpoint: Arc<BoxEndpoint<'static, Response>>,
    pub slug: &'static str,
    pub logins: Arc<[OpenLogin]>,
    path: Arc<str>,
    cookies: Arc<[String]>,
}

impl Page {
    /// The profile page of a mount.
    pub fn new(stage: &Stage, app: &App, strategy: &Arc<dyn AuthStrategy>) -> Self {
        let description = strategy.describe();
        let logins = stage.open_under(strategy);
        let cookie = |login: &OpenLogin| format!("{}={}", description.transport.cookie, login.credential());
        Self {
            endpoint: Arc::new(app.endpoint().boxed()),
            slug: description.slug,
            path: format!("/{}/profile", description.slug).into(),
            cookies: logins.iter().map(cookie).collect(),
            logins,
        }
    }

    /// `/api/me` of the same mount.
    pub fn json(self) -> Self {
        Self { path: format!("/{}/api/me", self.slug).into(), ..self }
    }

    /// The floor of `/api/me`, for the logins of `jwt`.
    pub fn bare_json(self) -> Self {
        Self { endpoint: Arc::new(BareJson(Decoder::new(SECRET)).boxed()), ..self }
    }

    /// The floor of the profile page, for the logins of `jwt`: a page of as many bytes.
    pub async fn bare_page(self) -> Self {
        let wanted = self.get(0).await.1.len();
        let padded =
            |padding| Self { endpoint: Arc::new(BarePage::new(Decoder::new(SECRET), padding).boxed()), ..self.clone() };
        padded(wanted - padded(0).get(0).await.1.len())
    }

    /// Returns the response's `Server-Timing`, which a floor leaves empty, and its text. Panics unless it is the user's own.
    pub async fn get(&self, index: usize) -> (String, String) {
        let request = Request::builder()
            .uri_str(&*self.path)
            .header(header::HOST, "127.0.0.1:5000")
            .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")
            .header(header::COOKIE, &*self.cookies[index])
            .finish();
        let response = self.endpoint.call(request).await.expect("a response");
        assert_eq!(response.status(), StatusCode::OK);
        let timing = response.headers().get("server-timing").and_then(|value| value.to_str().ok());
        let timing = timing.unwrap_or_default().to_owned();
        let text = response.into_body().into_string().await.expect("a page");
        let name = &self.logins[index].identity.subject.name;
        assert!(text.contains(name.as_str()), "the page of {name} does not name its user");
        (timing, text)
    }
}

impl Probe for Page {
    fn count(&self) -> usize {
        self.cookies.len()
    }

    async fn send(&self, index: usize) {
        self.get(index).await;
    }
}
