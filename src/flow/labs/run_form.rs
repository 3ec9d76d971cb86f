//! What the form of an experiment says, and whether who sent it may start one.

use poem::Request;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::account::{HashError, UserName};
use crate::auth::Promise;
use crate::error::Error;
use crate::flow::client::client_address;
use crate::flow::state::{AppState, Services};
use crate::identity::Role;

/// The fields of the form. A missing one is an empty one.
#[derive(Default)]
pub(super) struct RunForm {
    pub strategies: Vec<String>,
    pub username: String,
    password: SecretString,
}

impl RunForm {
    /// One box is one field, and all have the same name.
    pub fn read(body: &[u8]) -> Self {
        let mut order = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            match &*name {
                "strategy" => order.strategies.push(value.into_owned()),
                "username" => order.username = value.into_owned(),
                "password" => order.password = SecretString::from(value.into_owned()),
                _ => {}
            }
        }
        order
    }

    /// Fails unless who sent it may start an experiment, and it names strategies that there are.
    pub async fn admit(&self, state: &AppState, request: &Request) -> Result<(), Error> {
        self.admit_sender(&state.services, request).await?;
        if self.strategies.is_empty() {
            return Err(Error::BadRequest("Choose at least one strategy.".to_owned()));
        }
        let known = |slug: &str| state.strategies().any(|strategy| strategy.describe().slug == slug);
        match self.strategies.iter().find(|slug| !known(slug)) {
            Some(unknown) => Err(Error::BadRequest(format!("There is no strategy {unknown}."))),
            None => Ok(()),
        }
    }

    /// Everybody on a server of one's own; elsewhere a presenter, by name and password. An unknown user, a wrong
    /// password and a user who is no presenter take the same steps and get the same answer.
    async fn admit_sender(&self, services: &Services, request: &Request) -> Result<(), Error> {
        if open_to_everybody(services) {
            return Ok(());
        }
        let folded = UserName::fold(&self.username);
        services.rate_limits.check(client_address(request, &services.trusted_proxies), &folded)?;
        let user = services.users.find(&folded).await?;
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let matches = services.hasher.verify(self.password.clone(), hash).await?;
        let presents = user.is_some_and(|user| user.role == Role::Presenter);
        if matches && presents { Ok(()) } else { Err(Error::WrongPassword) }
    }
}

/// Whether an error is said above the form, which keeps what was chosen; others have a page of their own.
pub(super) fn said_above_the_form(error: &Error) -> bool {
    use Error::{BadRequest, Hash, Measuring, TooManyRuns, TooManyTries, WrongPassword};
    matches!(
        error,
        BadRequest(_) | WrongPassword | TooManyTries { .. } | TooManyRuns | Measuring | Hash(HashError::Busy)
    )
}

/// What is said above the form, and when to try again; for the log, too.
pub(super) fn words(error: &Error, request: &Request) -> String {
    error.log(request.uri().path());
    let again = error.retry_after().map(|seconds| format!(" Try again in {seconds} s."));
    error.sentence().trim_end_matches(" Try again.").to_owned() + &again.unwrap_or_default()
}

/// Only this machine reaches the server, and its users' password stands on every page.
pub(super) fn open_to_everybody(services: &Services) -> bool {
    services.demo.as_ref().is_some_and(|demo| demo.password.is_some())
}

/// The strategies to choose from: all, unless some were chosen before.
pub(super) fn choices(state: &AppState, order: &RunForm) -> Vec<Value> {
    let descriptions = state.strategies().map(|strategy| strategy.describe());
    let choice = |description: &crate::auth::Description| {
        let slug = description.slug;
        let chosen = order.strategies.is_empty() || order.strategies.iter().any(|chosen| chosen == slug);
        let shortened = matches!(description.promise, Promise::Expiry { .. });
        json!({ "slug": slug, "label": description.texts.label, "chosen": chosen, "shortened": shortened })
    };
    descriptions.map(choice).collect()
}
