//! A client of one mount, and its answers.

use jwt_vs_session::auth::Description;
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use super::server::base;
use crate::common::{DEMO_PASSWORD, TestApp};

/// Keeps cookies and follows no redirect. Clones share the cookies.
#[derive(Clone)]
pub struct MountClient {
    client: Client,
    root: String,
    pub base: String,
    cookie: &'static str,
}

impl MountClient {
    pub fn new(app: &TestApp, mount: &Description) -> Self {
        Self { client: app.client(), root: app.base.clone(), base: base(mount), cookie: mount.transport.cookie }
    }

    /// The same browser under another mount.
    pub fn under(&self, mount: &Description) -> Self {
        Self { base: base(mount), cookie: mount.transport.cookie, ..self.clone() }
    }

    /// `path` is below the mount.
    pub async fn get(&self, path: &str) -> Answer {
        answer(self.get_request(path)).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        answer(self.post_request(path).form(form)).await
    }

    pub fn get_request(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    pub fn post_request(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.root, self.base)
    }

    /// Follows a redirect.
    pub async fn follow(&self, redirect: &Answer) -> Answer {
        self.open(redirect.location()).await
    }

    /// A page anywhere on the server.
    pub async fn open(&self, path: &str) -> Answer {
        answer(self.client.get(format!("{}{path}", self.root))).await
    }

    pub async fn log_in(&self, user: &str, password: &str) -> Answer {
        self.post("/login", &[("username", user), ("password", password)]).await
    }

    /// Logs in as a demo user. Returns the credential as a `Cookie` line.
    pub async fn demo_login(&self, user: &str) -> String {
        self.login_cookie(user, DEMO_PASSWORD).await
    }

    pub async fn login_cookie(&self, user: &str, password: &str) -> String {
        let answer = self.log_in(user, password).await;
        assert_eq!(answer.status, 303, "{user} logs in under {}", self.base);
        self.credential(&answer)
    }

    /// The credential that an answer sets, as a `Cookie` line.
    pub fn credential(&self, answer: &Answer) -> String {
        let line = answer.cookie(self.cookie).expect("a credential");
        line.split(';').next().unwrap_or_default().to_owned()
    }

    pub async fn register(&self, user: &str, password: &str) -> String {
        let answer = self.post("/register", &[("username", user), ("password", password)]).await;
        assert_eq!(answer.status, 303, "{user} registers under {}", self.base);
        self.credential(&answer)
    }

    /// Changes the password, and follows the redirect. Returns the answer to the form, and the page behind it.
    pub async fn changed_password(&self, current: &str, new: &str) -> (Answer, Answer) {
        let done = self.change_password(current, new).await;
        assert!(is_changed(&done), "{}: {}", done.status, done.body);
        let page = self.follow(&done).await;
        assert_eq!(page.status, 200, "{}", page.body);
        (done, page)
    }

    pub async fn change_password(&self, current: &str, new: &str) -> Answer {
        self.post("/password", &[("current_password", current), ("new_password", new)]).await
    }

    pub async fn me(&self) -> Answer {
        self.get("/api/me").await
    }
}

/// An answer with its whole body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// Whether a password change was carried out: the answer leads to its report.
pub fn is_changed(answer: &Answer) -> bool {
    answer.status == 303 && answer.location().contains("/password/changed?report=")
}

pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, body: response.text().await.expect("a whole answer") }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("readable"))
    }

    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The `Set-Cookie` line of this name.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
        lines.into_iter().find(|line| line.starts_with(&format!("{name}=")))
    }

    /// The steps of `Server-Timing`, in words.
    pub fn steps(&self) -> Vec<String> {
        let without_time = |step: &str| match between(step, ";dur=", ";") {
            Some(time) => step.replace(&format!(";dur={time}"), ""),
            None => step.split(';').next().unwrap_or_default().to_owned(),
        };
        self.timing().iter().map(|step| without_time(step)).collect()
    }

    /// The entries of `Server-Timing`. A comma inside quotes separates nothing.
    fn timing(&self) -> Vec<String> {
        let (mut entries, mut quoted) = (vec![String::new()], false);
        for c in self.header("server-timing").unwrap_or_default().chars() {
            quoted ^= c == '"';
            match entries.last_mut() {
                Some(entry) if quoted || c != ',' => entry.push(c),
                _ => entries.push(String::new()),
            }
        }
        entries.iter().map(|entry| entry.trim().to_owned()).collect()
    }
}

/// Replaces the entities of HTML.
pub fn unescaped(html: &str) -> String {
    let entities = [("&#x2f;", "/"), ("&#x27;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    entities.iter().fold(html.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

/// The text between the first `before` and the next `after`.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}
