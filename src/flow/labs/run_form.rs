//! What the pages of both labs share: the form that starts a run, who may send it, and the answers to it.

use poem::error::ResponseError as _;
use poem::http::{StatusCode, header};
use poem::{Request, Response};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::account::{HashError, UserName};
use crate::auth::Promise;
use crate::error::Error;
use crate::flow::middleware::with_headers;
use crate::flow::rate_limits::PasswordTry;
use crate::flow::security::{self, source_of};
use crate::flow::state::{AppState, Services};
use crate::identity::Role;
use crate::labs::runs::StartRunError;
use crate::security_log::{EventSource, LoginRefusal, SecurityEvent, record};
use crate::trace::Trace;

/// The fields of the form. A missing field is an empty one.
#[derive(Default)]
pub(super) struct RunForm {
    pub strategies: Vec<String>,
    username: String,
    password: SecretString,
}

impl RunForm {
    /// Each checked box is a field `strategy`.
    pub fn read(body: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            match &*name {
                "strategy" => form.strategies.push(value.into_owned()),
                "username" => form.username = value.into_owned(),
                "password" => form.password = SecretString::from(value.into_owned()),
                _ => {}
            }
        }
        form
    }

    /// Fails unless the sender may start an experiment, and the strategies exist. Returns where the events of the run
    /// come from.
    pub async fn admit(&self, state: &AppState, request: &Request) -> Result<EventSource, Error> {
        let source = self.admit_sender(&state.services, request).await?;
        if self.strategies.is_empty() {
            return Err(Error::BadRequest("Choose at least one strategy.".to_owned()));
        }
        let known = |slug: &str| state.strategies().any(|strategy| strategy.describe().slug == slug);
        match self.strategies.iter().find(|slug| !known(slug)) {
            Some(unknown) => Err(Error::BadRequest(format!("There is no strategy {unknown}."))),
            None => Ok(source),
        }
    }

    /// Anybody may start a run where only this machine reaches the server; elsewhere only a presenter. An unknown user,
    /// a wrong password and a user who is no presenter take the same steps and get the same answer.
    async fn admit_sender(&self, services: &Services, request: &Request) -> Result<EventSource, Error> {
        let source = source_of(request);
        if is_open(services) {
            return Ok(source);
        }
        let (folded, origin) = (UserName::fold(&self.username), services.origin(request));
        services.rate_limits.check_try(origin.address)?;
        let user = services.users.find(&folded).await?;
        let source = EventSource { user_id: user.as_ref().map(|user| user.id), ..source };
        let reason = match &user {
            Some(user) if user.is_disabled => LoginRefusal::Disabled,
            Some(user) if user.role == Role::Presenter => LoginRefusal::WrongPassword,
            Some(_) => LoginRefusal::NoPresenter,
            None => LoginRefusal::UnknownUser,
        };
        // Whoever is no presenter, or disabled, is an unknown user here: the count must not show that a password was right.
        let user = user.as_ref().filter(|user| user.role == Role::Presenter && !user.is_disabled);
        let password = self.password.clone();
        let password = PasswordTry { origin: &origin, folded: &folded, user, password, words: "argon2id" };
        if password.check(&services.rate_limits, &services.hasher, &Trace::off()).await? {
            return Ok(source);
        }
        record(&source, &SecurityEvent::LoginRefused { reason });
        Err(Error::WrongPassword)
    }

    /// Records the start of a run.
    pub fn record_start(&self, source: &EventSource, lab: &'static str) {
        let strategies = self.strategies.iter().map(Into::into).collect();
        record(source, &SecurityEvent::LabStarted { lab, strategies });
    }

    /// What every page with the form shows: all strategies are checked, unless some were before.
    pub fn view(&self, state: &AppState) -> Value {
        let choice = |description: &crate::auth::Description| {
            let slug = description.slug;
            let chosen = self.strategies.is_empty() || self.strategies.iter().any(|chosen| chosen == slug);
            let shortened = matches!(description.promise, Promise::Expiry { .. });
            json!({ "slug": slug, "label": description.texts.label, "chosen": chosen, "shortened": shortened })
        };
        let choices: Vec<_> = state.strategies().map(|strategy| choice(strategy.describe())).collect();
        json!({ "choices": choices, "open": is_open(&state.services), "username": self.username })
    }
}

/// Only this machine reaches the server, and every page shows its users' password.
fn is_open(services: &Services) -> bool {
    services.demo.as_ref().is_some_and(|demo| demo.password.is_some())
}

/// The error of a run that did not start; `full` is the one for a lab without a free slot.
pub(super) fn not_started(error: StartRunError, full: Error) -> Error {
    match error {
        StartRunError::Store(error) => error.into(),
        StartRunError::Full | StartRunError::Closing => full,
    }
}

/// Answers the script that a run has started.
pub(super) fn created(run: &Value) -> Response {
    let response = Response::builder().status(StatusCode::CREATED).header(header::CACHE_CONTROL, "no-store");
    response.header(header::CONTENT_TYPE, "application/json").body(run.to_string())
}

/// An error that the page shows above the form, with what was chosen.
pub(super) struct FormRefusal(Error);

impl FormRefusal {
    /// Fails with the errors that have a page of their own.
    pub fn of(error: Error, request: &Request) -> Result<Self, Error> {
        use Error::{BadRequest, Hash, Measuring, TooManyFailures, TooManyRuns, TooManyTries, WrongPassword};
        match error {
            BadRequest(_)
            | WrongPassword
            | TooManyTries { .. }
            | TooManyFailures(_)
            | TooManyRuns
            | Measuring
            | Hash(HashError::Busy) => {
                let path = request.original_uri().path();
                error.log(path);
                security::record_refusal(&error, &source_of(request), path);
                Ok(Self(error))
            }
            other => Err(other),
        }
    }

    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// What went wrong, and when to try again.
    pub fn message(&self) -> String {
        let again = self.0.retry_words().map(|words| format!(" {words}"));
        self.0.sentence() + &again.unwrap_or_default()
    }

    /// Adds `Retry-After` to the page, where the error has one.
    pub fn on(&self, page: Response) -> Response {
        with_headers(page, &self.0)
    }
}
