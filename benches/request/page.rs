//! The page that is asked for, and the check of every answer.

use std::sync::Arc;

use jwt_vs_session::app::App;
use jwt_vs_session::auth::AuthStrategy;
use poem::endpoint::BoxEndpoint;
use poem::http::{StatusCode, header};
use poem::{Endpoint as _, EndpointExt as _, Request, Response};

use crate::stage::Stage;
use crate::stage::logins::Opened;
use crate::stage::timing::Question;

/// `GET M/profile` by each of many signed-in users.
#[derive(Clone)]
pub struct Page {
    endpoint: Arc<BoxEndpoint<'static, Response>>,
    pub slug: &'static str,
    pub logins: Arc<[Opened]>,
    path: Arc<str>,
    cookies: Arc<[String]>,
}

impl Page {
    pub fn new(stage: &Stage, app: &App, strategy: &Arc<dyn AuthStrategy>) -> Self {
        let description = strategy.describe();
        let logins = stage.opened_under(strategy);
        let cookie = |login: &Opened| format!("{}={}", description.transport.cookie, login.credential());
        Self {
            endpoint: Arc::new(app.endpoint().boxed()),
            slug: description.slug,
            path: format!("/{}/profile", description.slug).into(),
            cookies: logins.iter().map(cookie).collect(),
            logins,
        }
    }

    /// The answer's `Server-Timing` and its text. Panics unless it is the user's own page.
    pub async fn get(&self, place: usize) -> (String, String) {
        let request = Request::builder()
            .uri_str(&*self.path)
            .header(header::HOST, "127.0.0.1:5000")
            .header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")
            .header(header::COOKIE, &*self.cookies[place])
            .finish();
        let response = self.endpoint.call(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        let timing = response.headers().get("server-timing").and_then(|value| value.to_str().ok());
        let timing = timing.expect("timings").to_owned();
        let text = response.into_body().into_string().await.expect("a page");
        let name = &self.logins[place].identity.subject.name;
        assert!(text.contains(name.as_str()), "the page of {name} does not name its user");
        (timing, text)
    }
}

impl Question for Page {
    fn places(&self) -> usize {
        self.cookies.len()
    }

    async fn ask(&self, place: usize) {
        self.get(place).await;
    }
}
